import {
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { AdmissionConfig } from '../http.config.js';
import { Quotas } from '../quotas/index.js';
import { Admission } from './admission.js';
import { Gate } from './gate.js';
import { heapSignal, loopDelaySignal, poolSignal, Pressure, utilisationSignal } from './pressure.js';

export interface AdmissionModuleOptions {
  config: AdmissionConfig;
  quotas: Quotas;
  /** How long a caller waits for a connection of the database at the moment. */
  poolWaitMs(): number;
}

/** What decides which requests are let in, and tells workers whether there is room for more. */
@Module({})
export class AdmissionModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly pressure: Pressure) {}

  static register({ config, quotas, poolWaitMs }: AdmissionModuleOptions): DynamicModule {
    const { loopDelayMs } = config;
    const gate = new Gate(config);
    const signals = [
      loopDelaySignal(loopDelayMs),
      utilisationSignal(),
      heapSignal(),
      poolSignal(poolWaitMs, config.poolWaitMs),
    ];
    const pressure = new Pressure(signals, {
      loopDelayMs,
      onSample: (value) => value > 0.8 && gate.onOverload(),
    });
    const providers = [
      { provide: Quotas, useValue: quotas },
      { provide: Pressure, useValue: pressure },
      { provide: Admission, useValue: new Admission(quotas, pressure, gate) },
    ];
    return {
      module: AdmissionModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }

  /** Not before: to start is to stop the event loop again and again. */
  onApplicationBootstrap(): void {
    this.pressure.start();
  }

  onApplicationShutdown(): void {
    this.pressure.close();
  }
}
