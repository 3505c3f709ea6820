import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { auditDetail, Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { page, Priority, RateClass } from '#libs/http';
import {
  AuditEventPage,
  cursorOfEvent,
  ListAuditEvents,
  toAuditEventItem,
  toAuditQuery,
} from './audit-events.dto.js';
import { AuditEventsService } from './audit-events.service.js';

/** Who did what. Reading it is itself recorded. */
@ApiTags('audit')
@Controller('v1/audit/events')
@RateClass('read')
@Priority('critical-plus')
export class AuditEventsController {
  constructor(private readonly events: AuditEventsService) {}

  @Get()
  @RequirePermission('audit.read')
  @Audited('audit.read', 'security')
  @ApiOperation({ summary: 'Who did what, the latest first; reading it is recorded too' })
  @ApiOkResponse({ standardSchema: AuditEventPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListAuditEvents }) query: ListAuditEvents,
  ): Promise<AuditEventPage> {
    auditDetail({ detail: { scope: query.scope } });
    const rows =
      query.scope === 'installation'
        ? await this.events.listOfInstallation(principal, toAuditQuery(query))
        : await this.events.listOfTenant(principal, toAuditQuery(query));
    return page(rows, query.limit, cursorOfEvent, toAuditEventItem);
  }
}
