import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { z } from 'zod';
import { HEALTH_PROBES, type HealthProbe } from './health-probe.js';
import { Lifecycle } from './lifecycle.js';

export const PHASE = z.enum(['starting', 'ready', 'draining']);

export const HealthReport = z.object({
  status: z.enum(['ok', 'degraded', 'error']),
  phase: PHASE,
  components: z
    .record(z.string(), z.looseObject({ status: z.string() }))
    .describe(
      'up, degraded or down, and what each component tells about itself, such as the state of its circuit.',
    ),
});
export type HealthReport = z.infer<typeof HealthReport>;

const CHECK_TIMEOUT_MS = 2_000;

/** Asks the components of the process how they are. */
@Injectable()
export class HealthReporter {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    @Inject(HEALTH_PROBES) private readonly probes: HealthProbe[],
  ) {}

  /** Every component. `error` only when one that is needed for readiness is down. */
  components(): Promise<HealthReport> {
    return this.report(this.probes);
  }

  /** What the process can do nothing useful without, and `error` also while it starts and ends. */
  async readiness(): Promise<HealthReport> {
    const report = await this.report(this.probes.filter((probe) => probe.neededForReadiness));
    return this.lifecycle.phase === 'ready' ? report : { ...report, status: 'error' };
  }

  /** Whether anything is so broken that only a restart mends it. */
  async isAlive(): Promise<boolean> {
    const probes = this.probes.filter((probe) => probe.neededForLiveness);
    const states = await Promise.all(probes.map((probe) => this.stateOf(probe)));
    return states.every((state) => state.status !== 'down');
  }

  private async report(probes: HealthProbe[]): Promise<HealthReport> {
    const states = await Promise.all(probes.map((probe) => this.stateOf(probe)));
    const failed = probes.some((probe, i) => states[i]!.status === 'down' && probe.neededForReadiness);
    const impaired = states.some((state) => state.status !== 'up');
    return {
      status: failed ? 'error' : impaired ? 'degraded' : 'ok',
      phase: this.lifecycle.phase,
      components: Object.fromEntries(probes.map((probe, i) => [probe.name, states[i]!])),
    };
  }

  private async stateOf(probe: HealthProbe): Promise<{ status: string }> {
    const indicator = this.indicators.check(probe.name);
    try {
      const { degraded, ...detail } = await withTimeout(probe.check());
      return (degraded ? indicator.degraded(detail) : indicator.up(detail))[probe.name]!;
    } catch (error) {
      return indicator.down({ reason: (error as Error).name })[probe.name]!;
    }
  }
}

function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
