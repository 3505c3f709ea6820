export { ConfigModule } from './config.module.js';
export { envExample, settingsOf, type Setting } from './env-example.js';
export { InvalidConfiguration, loadConfig, type Config, type Environment } from './load-config.js';
export { startedByNpm } from './process.js';
export { section, variableName, type ConfigSection } from './section.js';
