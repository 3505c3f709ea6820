import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { LimitIngestion, OrdersBody, PauseIngestion } from './control.dto.js';
import { ControlService } from './control.service.js';

/** What operators order for the processing of one tenant, or of all. It holds on every worker. */
@ApiTags('operations')
@Controller('v1/admin/ingestion')
@RequirePermission('system.operate')
@RateClass('write')
@Priority('critical-plus')
export class IngestionOrdersController {
  constructor(private readonly control: ControlService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'Pauses and limits that are in force' })
  @ApiOkResponse({ standardSchema: OrdersBody })
  orders() {
    return this.control.orders();
  }

  @Put('limits')
  @Audited('ingestion.limit')
  @ApiOperation({
    summary: 'Limit how many documents are worked on at the same time, of all tenants together',
  })
  @ApiOkResponse({ standardSchema: OrdersBody })
  limitInstallation(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: LimitIngestion }) body: LimitIngestion,
  ) {
    return this.control.limit(principal, undefined, body.max_running);
  }

  @Put('tenants/:tenant_id/limits')
  @Audited('ingestion.limit')
  @ApiOperation({ summary: 'Limit how many documents of a tenant are worked on at the same time' })
  @ApiOkResponse({ standardSchema: OrdersBody })
  limitTenant(
    @CurrentPrincipal() principal: Principal,
    @Param('tenant_id', { schema: z.uuid() }) tenantId: string,
    @Body({ schema: LimitIngestion }) body: LimitIngestion,
  ) {
    return this.control.limit(principal, tenantId, body.max_running);
  }

  @Post('pause')
  @HttpCode(200)
  @Audited('ingestion.pause-installation')
  @ApiOperation({ summary: 'Take up no more documents of anybody; those under way are finished' })
  @ApiOkResponse({ standardSchema: OrdersBody })
  pause(@CurrentPrincipal() principal: Principal, @Body({ schema: PauseIngestion }) body: PauseIngestion) {
    return this.control.pauseInstallation(principal, body?.reason);
  }

  @Post('resume')
  @HttpCode(200)
  @Audited('ingestion.resume-installation')
  @ApiOperation({ summary: 'Take up documents again' })
  @ApiOkResponse({ standardSchema: OrdersBody })
  resume(@CurrentPrincipal() principal: Principal) {
    return this.control.resumeInstallation(principal);
  }
}
