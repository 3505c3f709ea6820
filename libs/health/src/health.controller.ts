import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { HEALTH_PROBES, type HealthProbe } from './health-probe.js';
import { Lifecycle } from './lifecycle.js';

const PHASE = z.enum(['starting', 'ready', 'draining']);
const Liveness = z.object({ status: z.literal('ok'), phase: PHASE });
type Liveness = z.infer<typeof Liveness>;

const Report = z.object({
  status: z.enum(['ok', 'degraded', 'error']),
  phase: PHASE,
  components: z
    .record(z.string(), z.looseObject({ status: z.string() }))
    .describe('up, degraded or down, and what each component tells about itself.'),
});
type Report = z.infer<typeof Report>;

const CHECK_TIMEOUT_MS = 2_000;

/** For orchestrators and load balancers: public, never rate limited, and without anything worth hiding. */
@ApiTags('health')
@Controller('health')
@Public()
@RateClass('probe')
@Priority('critical-plus')
export class HealthController {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    @Inject(HEALTH_PROBES) private readonly probes: HealthProbe[],
  ) {}

  /** The process runs and its event loop turns. Restart it when this does not answer. */
  @Get('live')
  @ApiOperation({ summary: 'The process runs; restart it when this does not answer' })
  @ApiOkResponse({ standardSchema: Liveness })
  live(): Liveness {
    return { status: 'ok', phase: this.lifecycle.phase };
  }

  /** Send requests here. 503 while starting, while shutting down, and when the database is out of reach. */
  @Get('ready')
  @ApiOperation({ summary: 'Whether to send requests here' })
  @ApiOkResponse({ standardSchema: Report })
  @ApiServiceUnavailableResponse({ standardSchema: Report, description: 'Send requests elsewhere.' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Report> {
    const report = await this.report(this.probes.filter((probe) => probe.neededForReadiness));
    return this.answer(reply, this.lifecycle.phase === 'ready' ? report : { ...report, status: 'error' });
  }

  /** Every component. 503 only when one that is needed for readiness is down. */
  @Get()
  @ApiOperation({ summary: 'The state of every component' })
  @ApiOkResponse({ standardSchema: Report })
  @ApiServiceUnavailableResponse({ standardSchema: Report, description: 'One that is needed is down.' })
  async components(@Res({ passthrough: true }) reply: FastifyReply): Promise<Report> {
    return this.answer(reply, await this.report(this.probes));
  }

  private answer(reply: FastifyReply, report: Report): Report {
    void reply.status(report.status === 'error' ? 503 : 200).header('cache-control', 'no-store');
    return report;
  }

  private async report(probes: HealthProbe[]): Promise<Report> {
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
