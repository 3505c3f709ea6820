import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { HEALTH_PROBES, type HealthProbe } from './health-probe.js';
import { HealthReporter } from './health-reporter.js';
import { Lifecycle } from './lifecycle.js';

/**
 * `/health` and what is below it, over the probes that `probes` collects. Needs `DegradationRegistry` from a global
 * module.
 */
@Module({})
export class HealthModule {
  static register(
    lifecycle: Lifecycle,
    probes: Pick<FactoryProvider<HealthProbe[]>, 'useFactory' | 'inject'>,
  ): DynamicModule {
    return {
      module: HealthModule,
      global: true,
      imports: [TerminusModule],
      controllers: [HealthController],
      providers: [
        HealthReporter,
        { provide: Lifecycle, useValue: lifecycle },
        { provide: HEALTH_PROBES, ...probes },
      ],
      exports: [HealthReporter],
    };
  }
}
