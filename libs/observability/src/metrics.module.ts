import type { DynamicModule, Type } from '@nestjs/common';
import { register } from 'prom-client';
import { PrometheusController, PrometheusModule } from '@willsoto/nestjs-prometheus';

/** Extend it with the permission that `/metrics` asks for. */
export { PrometheusController as MetricsControllerBase };

/** Serves `/metrics` through the given controller, with the process' own metrics beside ours. */
export function metricsModule(controller: Type<PrometheusController>): DynamicModule {
  // The process' metrics are registered once, however many applications a test makes in it.
  const enabled = register.getSingleMetric('process_cpu_user_seconds_total') === undefined;
  return PrometheusModule.register({ controller, defaultMetrics: { enabled } });
}
