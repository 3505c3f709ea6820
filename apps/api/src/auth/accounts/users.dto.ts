import { z } from 'zod';
import { ROLES } from '#libs/auth';
import { cursorQuery, pageOf } from '#libs/http';
import type { Colleague } from '../../tenants/index.js';

export const UserItem = z.object({
  id: z.uuid(),
  email: z.string(),
  role: z.enum(ROLES),
  created_at: z.iso.datetime(),
  suspended_at: z.iso.datetime().nullable(),
  second_factor: z.boolean().describe('Whether two-step login is turned on.'),
});
export type UserItem = z.infer<typeof UserItem>;
export const UserPage = pageOf(UserItem);
export type UserPage = z.infer<typeof UserPage>;

export const ListUsers = z.strictObject(cursorQuery);
export type ListUsers = z.infer<typeof ListUsers>;
export const UserCursor = z.tuple([z.uuid()]);

export const ChangeUser = z.strictObject({
  role: z.enum(ROLES).optional(),
  suspended: z.boolean().optional(),
});
export type ChangeUser = z.infer<typeof ChangeUser>;

export function toUserItem({
  id,
  email,
  role,
  createdAt,
  suspendedAt,
  hasSecondFactor,
}: Colleague): UserItem {
  return {
    id,
    email,
    role,
    created_at: createdAt.toISOString(),
    suspended_at: suspendedAt?.toISOString() ?? null,
    second_factor: hasSecondFactor,
  };
}
