import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditDetail, Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { page, Priority, RateClass } from '#libs/http';
import {
  AuditEventPage,
  cursorOfEvent,
  GetAuditEvent,
  ListAuditEvents,
  ProvenAuditEvent,
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
    const rows = await this.events.list(principal, query.scope, toAuditQuery(query));
    return page(rows, query.limit, cursorOfEvent, toAuditEventItem);
  }

  @Get(':id')
  @RequirePermission('audit.read')
  @Audited('audit.read', 'security')
  @ApiOperation({ summary: 'One event, with the proof that it stands in the signed log if asked for' })
  @ApiOkResponse({ standardSchema: ProvenAuditEvent })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: GetAuditEvent }) { scope, proof }: GetAuditEvent,
  ): Promise<ProvenAuditEvent> {
    auditDetail({ targets: [{ type: 'audit-event', id }], detail: { scope, proof: proof === 'true' } });
    const event = toAuditEventItem(await this.events.get(principal, scope, id));
    return proof === 'true' ? { ...event, proof: await this.events.prove(principal, scope, id) } : event;
  }
}
