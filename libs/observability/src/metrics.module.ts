import type { DynamicModule, Type } from '@nestjs/common';
import { PrometheusController, PrometheusModule } from '@willsoto/nestjs-prometheus';

/** Extend it with the permission that `/metrics` asks for. */
export { PrometheusController as MetricsControllerBase };

/** Serves `/metrics` through the given controller, with the process' own metrics beside ours. */
export function metricsModule(controller: Type<PrometheusController>): DynamicModule {
  return PrometheusModule.register({ controller, defaultMetrics: { enabled: true } });
}
