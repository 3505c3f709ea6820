import { z } from 'zod';
import type { Principal } from '#libs/auth';
import { cursorQuery, pageOf } from '#libs/http';
import type { LivingSession } from './session.store.js';

export const ListSessions = z.strictObject(cursorQuery);
export type ListSessions = z.infer<typeof ListSessions>;
/** The id of the last session of the page before. */
export const SessionCursor = z.tuple([z.uuid()]);

export const SessionItem = z.object({
  id: z.uuid(),
  current: z.boolean().describe('Whether this request belongs to it.'),
  created_at: z.iso.datetime(),
  refreshed_at: z.iso.datetime(),
  expires_at: z.iso.datetime().describe('When it ends unless it is refreshed before.'),
});
export type SessionItem = z.infer<typeof SessionItem>;
export const SessionPage = pageOf(SessionItem);
export type SessionPage = z.infer<typeof SessionPage>;

export function toSessionItem(
  { credentialId }: Principal,
  { id, createdAt, refreshedAt, expiresAt }: LivingSession,
): SessionItem {
  return {
    id,
    current: id === credentialId,
    created_at: createdAt.toISOString(),
    refreshed_at: refreshedAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  };
}
