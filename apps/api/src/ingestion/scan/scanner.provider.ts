import { PolicyRegistry } from '#libs/resilience';
import { Clamd } from './clamd.js';
import { type ClamdConfig, clamdSection, isConfigured } from './clamd.config.js';
import { ClamdScanner, NoScanner, Scanner } from './scanner.js';

export const SCANNER = {
  provide: Scanner,
  inject: [clamdSection.token, PolicyRegistry],
  useFactory: (config: ClamdConfig, policies: PolicyRegistry): Scanner =>
    isConfigured(config) ? new ClamdScanner(new Clamd(config), policies.policy('scanner')) : new NoScanner(),
};

/** Something cheap to ask, to learn early that it is back; nothing where there is no scanner. */
export function scannerProbe(config: ClamdConfig): Record<string, (signal: AbortSignal) => Promise<unknown>> {
  if (!isConfigured(config)) return {};
  const clamd = new Clamd(config);
  return { scanner: (signal) => clamd.ping(signal) };
}
