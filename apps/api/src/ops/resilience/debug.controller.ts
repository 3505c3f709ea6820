import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { RequirePermission } from '#libs/auth';
import { Faults } from '#libs/faults';
import { HealthReport, HealthReporter } from '#libs/health';
import { Priority, RateClass } from '#libs/http';
import { Alerts } from '#libs/monitoring';
import { DegradationRegistry, LEVELS, PolicyRegistry } from '#libs/resilience';
import { AlertBody, toAlertBody } from '../alerts/alerts.dto.js';
import { FaultsBody, toFaultsBody } from '../faults/faults.dto.js';
import { ResilienceOverrides } from './resilience-overrides.js';
import { CapabilityBody, PolicyBody, toCapabilities, toPolicyBody } from './resilience.dto.js';

const DebugPage = z.object({
  version: z.string(),
  uptime_seconds: z.number(),
  level: z.enum(LEVELS),
  capabilities: z.array(CapabilityBody),
  policies: z.array(PolicyBody),
  health: HealthReport,
  alerts: z.array(AlertBody).describe('The open ones, as this process sees them.'),
  faults: FaultsBody,
  fleet_reached: z.boolean(),
});
type DebugPage = z.infer<typeof DebugPage>;

@ApiTags('operations')
@Controller('debug/resilience')
@RequirePermission('system.operate')
@Priority('critical-plus')
@RateClass('read')
export class DebugController {
  constructor(
    private readonly policies: PolicyRegistry,
    private readonly degradation: DegradationRegistry,
    private readonly overrides: ResilienceOverrides,
    private readonly health: HealthReporter,
    private readonly alerts: Alerts,
    private readonly faults: Faults,
    @Inject('VERSION') private readonly version: string,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Everything about how this process is doing, on one page' })
  @ApiOkResponse({ standardSchema: DebugPage })
  async page(): Promise<DebugPage> {
    return {
      version: this.version,
      uptime_seconds: Math.round(process.uptime()),
      level: this.degradation.level,
      capabilities: toCapabilities(this.degradation),
      policies: this.policies.list().map((policy) =>
        toPolicyBody(policy, {
          fleet: this.overrides.ordersFor(policy.name).fleet,
          inForce: this.overrides.inForce(policy.name),
        }),
      ),
      health: await this.health.components(),
      alerts: this.alerts.active().map(toAlertBody),
      faults: toFaultsBody(this.faults),
      fleet_reached: this.overrides.fleetReached,
    };
  }
}
