import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController, ApiOperation } from '@nestjs/swagger';
import { RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { MetricsControllerBase } from '#libs/observability';

/**
 * What Prometheus scrapes, in its text format. Give it an API key of an administrator or operator
 * (`authorization: {credentials: nav_…}` in its configuration).
 */
@ApiExcludeController()
@Controller()
@RequirePermission('system.metrics')
@RateClass('probe')
@Priority('critical-plus')
export class MetricsController extends MetricsControllerBase {
  @Get()
  @ApiOperation({ summary: 'The metrics of this process, as Prometheus reads them' })
  override index(@Res({ passthrough: true }) response: unknown): Promise<string> {
    return super.index(response);
  }
}
