import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { DegradationRegistry, LEVELS } from '#libs/resilience';
import { HealthReport, HealthReporter, PHASE } from './health-reporter.js';
import { Lifecycle } from './lifecycle.js';

const Liveness = z.object({ status: z.enum(['ok', 'error']), phase: PHASE });
type Liveness = z.infer<typeof Liveness>;

const Levels = z.object({
  level: z.enum(LEVELS).describe('The worst of all.'),
  capabilities: z.record(
    z.string(),
    z.object({
      level: z.enum(LEVELS),
      since: z.iso.datetime(),
      reasons: z.array(z.string()).describe('What is missing, the worst first.'),
    }),
  ),
});
type Levels = z.infer<typeof Levels>;

/** For orchestrators and load balancers: public, never rate limited, and without anything worth hiding. */
@ApiTags('health')
@Controller('health')
@Public()
@RateClass('probe')
@Priority('critical-plus')
export class HealthController {
  constructor(
    private readonly reporter: HealthReporter,
    private readonly lifecycle: Lifecycle,
    private readonly degradation: DegradationRegistry,
  ) {}

  /** The process runs, its event loop turns, and nothing in it stands still for good. Restart it otherwise. */
  @Get('live')
  @ApiOperation({ summary: 'The process runs; restart it when this does not answer, or not with 200' })
  @ApiOkResponse({ standardSchema: Liveness })
  @ApiServiceUnavailableResponse({ standardSchema: Liveness, description: 'Only a restart helps.' })
  async live(@Res({ passthrough: true }) reply: FastifyReply): Promise<Liveness> {
    const status = (await this.reporter.isAlive()) ? 'ok' : 'error';
    void reply.status(status === 'ok' ? 200 : 503);
    return { status, phase: this.lifecycle.phase };
  }

  /** Send requests here. 503 while starting, while shutting down, and when the database is out of reach. */
  @Get('ready')
  @ApiOperation({ summary: 'Whether to send requests here' })
  @ApiOkResponse({ standardSchema: HealthReport })
  @ApiServiceUnavailableResponse({ standardSchema: HealthReport, description: 'Send requests elsewhere.' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    return answer(reply, await this.reporter.readiness());
  }

  /** At which level each capability is served. Always 200: it tells of the product, not of this process. */
  @Get('level')
  @ApiOperation({ summary: 'At which level each capability is served, and why not at its full one' })
  @ApiOkResponse({ standardSchema: Levels })
  level(@Res({ passthrough: true }) reply: FastifyReply): Levels {
    void reply.header('cache-control', 'no-store');
    const capabilities = this.degradation
      .list()
      .map(({ capability, level, since, reasons }) => [capability, { level, since, reasons }] as const);
    return { level: this.degradation.level, capabilities: Object.fromEntries(capabilities) };
  }

  /** Every component. 503 only when one that is needed for readiness is down. */
  @Get()
  @ApiOperation({ summary: 'The state of every component' })
  @ApiOkResponse({ standardSchema: HealthReport })
  @ApiServiceUnavailableResponse({ standardSchema: HealthReport, description: 'One that is needed is down.' })
  async components(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    return answer(reply, await this.reporter.components());
  }
}

function answer(reply: FastifyReply, report: HealthReport): HealthReport {
  void reply.status(report.status === 'error' ? 503 : 200).header('cache-control', 'no-store');
  return report;
}
