export { MetricsController } from './metrics.controller.js';
export { OpsModule } from './ops.module.js';
