export { MetricsController } from './metrics.controller.js';
export { OpsModule } from './ops.module.js';
export { overrideInForce } from './resilience/override-rule.js';
export { ResilienceOverrides } from './resilience/resilience-overrides.js';
