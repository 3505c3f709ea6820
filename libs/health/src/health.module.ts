import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { HEALTH_PROBES, type HealthProbe } from './health-probe.js';
import { Lifecycle } from './lifecycle.js';

/** `/health`, `/health/live` and `/health/ready` over the probes that `probes` collects. */
@Module({})
export class HealthModule {
  static register(
    lifecycle: Lifecycle,
    probes: Pick<FactoryProvider<HealthProbe[]>, 'useFactory' | 'inject'>,
  ): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule],
      controllers: [HealthController],
      providers: [
        { provide: Lifecycle, useValue: lifecycle },
        { provide: HEALTH_PROBES, ...probes },
      ],
    };
  }
}
