import { Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { Reauthentication } from '../../auth/index.js';
import { TenantName } from '../../tenants/index.js';
import { COUNTS, MOST_GRACE_DAYS, RUN_STATE } from '../erasure/erasure.dto.js';
import type { TenantDeletion } from './tenant-deletion.store.js';
import { TenantDeletionsService } from './tenant-deletions.service.js';

const DeleteTenant = z.strictObject({
  name: TenantName.describe('The name of the tenant, typed as a confirmation.'),
  grace_days: z.coerce
    .number()
    .int()
    .min(0)
    .max(MOST_GRACE_DAYS)
    .default(7)
    .describe('For so long it can be cancelled; 0: at once.'),
});
type DeleteTenant = z.infer<typeof DeleteTenant>;

const TenantDeletionItem = z.object({
  id: z.uuid(),
  tenant_id: z.uuid(),
  state: RUN_STATE,
  requested_by: z.uuid(),
  runs_at: z.iso.datetime().describe('Until then it can be cancelled.'),
  counts: COUNTS,
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});
type TenantDeletionItem = z.infer<typeof TenantDeletionItem>;

@ApiTags('tenants')
@Controller('v1/tenants/:id')
@RequirePermission('tenant.manage')
@RateClass('write')
@Priority('critical-plus')
export class TenantDeletionsController {
  constructor(
    private readonly deletions: TenantDeletionsService,
    private readonly reauthentication: Reauthentication,
  ) {}

  /** There is no body for a password: it takes a session that began in the last 15 minutes. */
  @Delete()
  @Audited('tenant.delete', 'admin')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Suspend a tenant now and delete all that is in it later; its audit log stays',
    description: 'It takes a session that began in the last 15 minutes.',
  })
  @ApiAcceptedResponse({ standardSchema: TenantDeletionItem })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: DeleteTenant }) { name, grace_days: graceDays }: DeleteTenant,
    @Req() request: FastifyRequest,
  ): Promise<TenantDeletionItem> {
    await this.reauthentication.requireRecent(principal, undefined, request.ip);
    return toItem(await this.deletions.request(principal, id, { name, graceDays }));
  }

  @Get('deletion')
  @Audited('tenant.deletion.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'How far the deletion of a tenant is, or its receipt' })
  @ApiOkResponse({ standardSchema: TenantDeletionItem })
  async get(@Param('id', { schema: z.uuid() }) id: string): Promise<TenantDeletionItem> {
    return toItem(await this.deletions.get(id));
  }

  @Post('deletion/cancel')
  @Audited('tenant.delete.cancel', 'admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take the deletion of a tenant back that has not begun' })
  @ApiOkResponse({ standardSchema: TenantDeletionItem })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<TenantDeletionItem> {
    return toItem(await this.deletions.cancel(principal, id));
  }
}

function toItem(deletion: TenantDeletion): TenantDeletionItem {
  const { id, tenantId, state, requestedBy, runAt, counts, createdAt, finishedAt } = deletion;
  return {
    id,
    tenant_id: tenantId,
    state,
    requested_by: requestedBy,
    runs_at: runAt.toISOString(),
    counts,
    created_at: createdAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
  };
}
