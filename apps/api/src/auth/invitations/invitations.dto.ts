import { z } from 'zod';
import { ROLES } from '#libs/auth';
import { cursorQuery, pageOf } from '#libs/http';
import { NewPassword, OneTimeToken } from '../accounts/one-time-token.js';
import type { Invitation } from './invitation.store.js';

export const Invite = z.strictObject({
  email: z.email().max(254),
  role: z.enum(ROLES).default('member'),
});
export type Invite = z.infer<typeof Invite>;

export const AcceptInvitation = z.strictObject({ token: OneTimeToken, password: NewPassword });
export type AcceptInvitation = z.infer<typeof AcceptInvitation>;
export const AcceptedInvitation = z.object({ id: z.uuid(), email: z.string(), role: z.enum(ROLES) });
export type AcceptedInvitation = z.infer<typeof AcceptedInvitation>;

export const ListInvitations = z.strictObject(cursorQuery);
export type ListInvitations = z.infer<typeof ListInvitations>;
/** The id of the last one of the page before. */
export const InvitationCursor = z.tuple([z.uuid()]);

export const InvitationItem = z.object({
  id: z.uuid(),
  email: z.string(),
  role: z.enum(ROLES),
  state: z.enum(['open', 'accepted', 'revoked', 'expired']),
  created_at: z.iso.datetime(),
  sent_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});
export type InvitationItem = z.infer<typeof InvitationItem>;
export const InvitationPage = pageOf(InvitationItem);
export type InvitationPage = z.infer<typeof InvitationPage>;

export function toInvitationItem(invitation: Invitation): InvitationItem {
  const { id, email, role, state, createdAt, sentAt, expiresAt } = invitation;
  return {
    id,
    email,
    role,
    state,
    created_at: createdAt.toISOString(),
    sent_at: sentAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  };
}
