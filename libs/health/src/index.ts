export { HealthModule } from './health.module.js';
export { type HealthProbe } from './health-probe.js';
export { HealthReport, HealthReporter } from './health-reporter.js';
export { Lifecycle } from './lifecycle.js';
