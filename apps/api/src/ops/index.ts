export { MetricsController } from './metrics.controller.js';
