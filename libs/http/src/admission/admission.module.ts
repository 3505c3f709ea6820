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
  /** How long a transaction takes at the moment. */
  transactionMs(): number;
}

/** A transaction that takes longer than this, in a process that has time to spare, waits for the network. */
const QUICK_TRANSACTION_MS = 100;
/** Below this pressure a process has time to spare. */
const SPARE = 0.5;
const FULL = 0.8;

/** What decides which requests are let in, and tells workers whether there is room for more. */
@Module({})
export class AdmissionModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly pressure: Pressure,
    private readonly quotas: Quotas,
  ) {}

  static register({ config, quotas, poolWaitMs, transactionMs }: AdmissionModuleOptions): DynamicModule {
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
      onSample: (value) => {
        if (value > FULL) gate.onOverload();
        gate.stretch(value < SPARE ? transactionMs() / QUICK_TRANSACTION_MS : 1);
      },
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
    this.quotas.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.pressure.close();
    await this.quotas.close();
  }
}
