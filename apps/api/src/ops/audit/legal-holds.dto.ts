import { z } from 'zod';
import { type Hold, HOLD_SCOPES } from '#libs/audit';
import { cursorQuery, decodeCursor, pageOf } from '#libs/http';

const reason = z.string().trim().min(1).max(500).describe('Why it is kept, such as the number of the case.');

export const PlaceHold = z
  .discriminatedUnion('scope', [
    z.strictObject({ scope: z.literal('tenant'), reason }),
    z.strictObject({ scope: z.literal('user'), subject: z.uuid(), reason }),
    z.strictObject({ scope: z.literal('document'), subject: z.uuid(), reason }),
    z.strictObject({ scope: z.literal('collection'), subject: z.string().min(1).max(200), reason }),
  ])
  .describe('What must not be erased: all of the tenant, or one user, document or collection (by its name).');
export type PlaceHold = z.infer<typeof PlaceHold>;

export const ListHolds = z.strictObject({ ...cursorQuery });
export type ListHolds = z.infer<typeof ListHolds>;
const HoldCursor = z.tuple([z.uuid()]);

export const HoldItem = z.object({
  id: z.uuid(),
  scope: z.enum(HOLD_SCOPES),
  subject: z.string().nullable(),
  reason: z.string(),
  placed_by: z.uuid(),
  placed_at: z.iso.datetime(),
  release_asked_by: z.uuid().nullable(),
  release_asked_at: z.iso.datetime().nullable(),
  released_by: z.uuid().nullable(),
  released_at: z.iso.datetime().nullable(),
});
export type HoldItem = z.infer<typeof HoldItem>;
export const HoldPage = pageOf(HoldItem);
export type HoldPage = z.infer<typeof HoldPage>;

export function beforeOf({ cursor }: ListHolds): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, HoldCursor)[0];
}

export function toHoldItem(hold: Hold): HoldItem {
  return {
    id: hold.id,
    scope: hold.scope,
    subject: hold.subject,
    reason: hold.reason,
    placed_by: hold.placedBy,
    placed_at: hold.placedAt.toISOString(),
    release_asked_by: hold.releaseAskedBy,
    release_asked_at: hold.releaseAskedAt?.toISOString() ?? null,
    released_by: hold.releasedBy,
    released_at: hold.releasedAt?.toISOString() ?? null,
  };
}
