import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import type { Group, Member } from './group.js';

export const GroupItem = z.object({
  id: z.uuid(),
  name: z.string(),
  members: z.number().int(),
  created_at: z.iso.datetime(),
});
export type GroupItem = z.infer<typeof GroupItem>;
export const GroupPage = pageOf(GroupItem);
export type GroupPage = z.infer<typeof GroupPage>;

export const MemberItem = z.object({ user_id: z.uuid(), email: z.string(), added_at: z.iso.datetime() });
export type MemberItem = z.infer<typeof MemberItem>;
export const MemberPage = pageOf(MemberItem);
export type MemberPage = z.infer<typeof MemberPage>;

export const GroupName = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('No two groups have the same, whatever its case.'),
});
export type GroupName = z.infer<typeof GroupName>;

export const ListGroups = z.strictObject(cursorQuery);
export type ListGroups = z.infer<typeof ListGroups>;
export const IdCursor = z.tuple([z.uuid()]);

export function toGroupItem({ id, name, members, createdAt }: Group): GroupItem {
  return { id, name, members, created_at: createdAt.toISOString() };
}

export function toMemberItem({ userId, email, addedAt }: Member): MemberItem {
  return { user_id: userId, email, added_at: addedAt.toISOString() };
}
