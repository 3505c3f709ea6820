import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { cursorQuery, decodeCursor, page, pageOf, Priority, RateClass } from '#libs/http';
import type { ExpiringDocument } from './retention.js';
import { RetentionService } from './retention.service.js';

const PreviewRetention = z.strictObject({
  ...cursorQuery,
  within_days: z.coerce.number().int().min(0).max(3_650).default(30),
});
type PreviewRetention = z.infer<typeof PreviewRetention>;
// PostgreSQL knows no year 0.
const Position = z.tuple([z.iso.datetime().refine((text) => text >= '0001'), z.uuid()]);

const ExpiringItem = z.object({
  document_id: z.uuid(),
  owner_id: z.uuid(),
  collection: z.string().nullable(),
  expires_at: z.iso.datetime(),
  held: z.boolean().describe('A legal hold keeps it, whatever its age.'),
});
type ExpiringItem = z.infer<typeof ExpiringItem>;
const ExpiringPage = pageOf(ExpiringItem);
type ExpiringPage = z.infer<typeof ExpiringPage>;

@ApiTags('privacy')
@Controller('v1/privacy/retention')
@RequirePermission('privacy.manage')
@RateClass('read')
@Priority('sheddable')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  @Get()
  @Audited('privacy.retention.preview', 'data.read')
  @ApiOperation({
    summary: 'Which documents of your tenant go within so many days because of their age; it deletes nothing',
  })
  @ApiOkResponse({ standardSchema: ExpiringPage })
  async preview(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: PreviewRetention }) { within_days: withinDays, cursor, limit }: PreviewRetention,
  ): Promise<ExpiringPage> {
    const position = cursor === undefined ? undefined : decodeCursor(cursor, Position);
    const after = position && { expiresAt: position[0], id: position[1] };
    const rows = await this.retention.preview(principal, { withinDays, after, limit: limit + 1 });
    return page(rows, limit, (row) => [row.position, row.id], toItem);
  }
}

function toItem({ id, ownerId, collection, expiresAt, held }: ExpiringDocument): ExpiringItem {
  return { document_id: id, owner_id: ownerId, collection, expires_at: expiresAt.toISOString(), held };
}
