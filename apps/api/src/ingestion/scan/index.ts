/** Looking for malware in files that arrive, by clamd where it is configured. */
export { type ClamdConfig, clamdSection } from './clamd.config.js';
export { Scanner } from './scanner.js';
export { SCANNER, scannerProbe } from './scanner.provider.js';
