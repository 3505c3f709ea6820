export { HealthModule } from './health.module.js';
export { type HealthProbe } from './health-probe.js';
export { Lifecycle } from './lifecycle.js';
