import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { auditDetail, Audited, type Hold, LegalHolds } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission, SessionRequired } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { page, Priority, RateClass } from '#libs/http';
import { beforeOf, HoldItem, HoldPage, ListHolds, PlaceHold, toHoldItem } from './legal-holds.dto.js';

/** What must be kept whatever else says that it should be erased. One places it; two release it. */
@ApiTags('audit')
@Controller('v1/audit/holds')
@RateClass('write')
@Priority('critical')
export class LegalHoldsController {
  constructor(
    private readonly db: TenantDb,
    private readonly holds: LegalHolds,
  ) {}

  @Get()
  @RateClass('read')
  @RequirePermission('audit.hold')
  @Audited('audit.hold.read', 'security')
  @ApiOperation({ summary: 'Legal holds of the tenant, the newest first, with those that were released' })
  @ApiOkResponse({ standardSchema: HoldPage })
  async list(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query({ schema: ListHolds }) query: ListHolds,
  ): Promise<HoldPage> {
    const paging = { before: beforeOf(query), limit: query.limit + 1 };
    const rows = await this.db.read(tenantId, (tx) => this.holds.list(tx, tenantId, paging));
    return page(rows, query.limit, ({ id }) => [id], toHoldItem);
  }

  @Post()
  @RequirePermission('audit.hold')
  @Audited('audit.hold.place', 'admin')
  @ApiOperation({ summary: 'Keep what belongs to the tenant, a user, a document or a collection' })
  @ApiCreatedResponse({ standardSchema: HoldItem })
  place(
    @CurrentPrincipal() { tenantId, userId }: Principal,
    @Body({ schema: PlaceHold }) body: PlaceHold,
  ): Promise<HoldItem> {
    const subject = body.scope === 'tenant' ? null : body.subject;
    const { scope, reason } = body;
    return this.change(tenantId, (tx) =>
      this.holds.place(tx, tenantId, { scope, subject, reason, placedBy: userId }),
    );
  }

  @Post(':id/release-request')
  @HttpCode(200)
  @RequirePermission('audit.hold')
  @Audited('audit.hold.ask-release', 'admin')
  @ApiOperation({ summary: 'Ask for the release of a hold, which somebody else has to confirm' })
  @ApiOkResponse({ standardSchema: HoldItem })
  async askRelease(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<HoldItem> {
    const { tenantId, userId } = personOf(principal);
    return this.change(tenantId, (tx) => this.holds.askRelease(tx, tenantId, id, userId));
  }

  @Post(':id/release')
  @HttpCode(200)
  @RequirePermission('audit.hold')
  @Audited('audit.hold.release', 'admin')
  @ApiOperation({ summary: 'Confirm the release that somebody else asked for' })
  @ApiOkResponse({ standardSchema: HoldItem })
  async release(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<HoldItem> {
    const { tenantId, userId } = personOf(principal);
    return this.change(tenantId, (tx) => this.holds.release(tx, tenantId, id, userId));
  }

  private change(tenantId: string, work: (tx: EntityManager) => Promise<Hold>): Promise<HoldItem> {
    return this.db.change(tenantId, async (tx) => {
      const hold = await work(tx);
      const held = hold.subject === null ? [] : [{ type: hold.scope, id: hold.subject }];
      auditDetail({ targets: [{ type: 'legal-hold', id: hold.id }, ...held], detail: { scope: hold.scope } });
      return toHoldItem(hold);
    });
  }
}

/** Two people release a hold; an account for programs is none, and whoever made it has its key. @throws SessionRequired */
function personOf(principal: Principal): Principal {
  if (principal.via !== 'session') throw new SessionRequired();
  return principal;
}
