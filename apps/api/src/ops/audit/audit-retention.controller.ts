import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited, listRetirements, type Retirement } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { Priority, RateClass } from '#libs/http';

const ListRetirements = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) });

export const RetirementList = z.object({
  items: z.array(
    z.object({
      event_id: z.uuid().describe('The event that stands for those that left, with the signed note.'),
      to: z.int().describe('Events before this place of the log have left it.'),
      archive: z.string().describe('The file that has them, in the archive of the installation.'),
      told_at: z.iso.datetime(),
      retired_at: z.iso
        .datetime()
        .nullable()
        .describe('null: they are still there, until a checkpoint is signed or a legal hold is released.'),
    }),
  ),
});
export type RetirementList = z.infer<typeof RetirementList>;

/** What has left the log because the tenant keeps it for a time only; that time is one of the tenant's settings. */
@ApiTags('audit')
@Controller('v1/audit/retention')
@RateClass('read')
@Priority('critical')
export class AuditRetentionController {
  constructor(private readonly db: TenantDb) {}

  @Get()
  @RequirePermission('audit.read')
  @Audited('audit.retention.read', 'security')
  @ApiOperation({ summary: 'What has left the log of the tenant, the newest first' })
  @ApiOkResponse({ standardSchema: RetirementList })
  async list(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query({ schema: ListRetirements }) { limit }: z.infer<typeof ListRetirements>,
  ): Promise<RetirementList> {
    const rows = await this.db.read(tenantId, (tx) => listRetirements(tx, tenantId, limit));
    return { items: rows.map(toItem) };
  }
}

function toItem({ eventId, to, archive, toldAt, retiredAt }: Retirement): RetirementList['items'][number] {
  return {
    event_id: eventId,
    to,
    archive,
    told_at: toldAt.toISOString(),
    retired_at: retiredAt?.toISOString() ?? null,
  };
}
