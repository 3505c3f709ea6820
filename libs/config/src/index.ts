export { section, variableName, type ConfigSection } from './section.js';
export { flag, loadConfig, InvalidConfiguration, type Config, type Environment } from './load-config.js';
export { envExample, settingsOf, type Setting } from './env-example.js';
