import type { EntityManager } from 'typeorm';
import { type Group, type Member, MOST_GROUPS } from './group.js';
import { GroupNameTaken, TooManyGroups } from './groups.errors.js';

interface GroupKey {
  tenantId: string;
  id: string;
}

/** Harmless when the same request made it before. @throws GroupNameTaken, TooManyGroups */
export async function insertGroup(
  tx: EntityManager,
  { tenantId, id, name }: GroupKey & { name: string },
): Promise<void> {
  await lockNames(tx, tenantId);
  const [state] = await tx.query<{ count: number; isThere: boolean }[]>(
    `select count(*)::int as count, coalesce(bool_or(id = $2), false) as "isThere"
     from user_group where tenant_id = $1`,
    [tenantId, id],
  );
  if (state!.isThere) return;
  if (state!.count >= MOST_GROUPS) throw new TooManyGroups(MOST_GROUPS);
  const made = await tx.query<unknown[]>(
    `insert into user_group (tenant_id, id, name) values ($1, $2, $3) on conflict do nothing returning id`,
    [tenantId, id, name],
  );
  if (made.length === 0) throw new GroupNameTaken();
}

/** `memberId`: only a group to which this user belongs. */
export async function findGroup(
  tx: EntityManager,
  { tenantId, id }: GroupKey,
  memberId?: string,
): Promise<Group | undefined> {
  const [row] = await tx.query<Group[]>(`${SELECT} and g.id = $3`, [tenantId, memberId ?? null, id]);
  return row;
}

/** The oldest first. `memberId`: only those to which this user belongs. */
export async function listGroups(
  tx: EntityManager,
  { tenantId, memberId }: { tenantId: string; memberId?: string },
  { afterId, limit }: { afterId?: string; limit: number },
): Promise<Group[]> {
  return tx.query<Group[]>(`${SELECT} and ($3::uuid is null or g.id > $3) order by g.id limit $4`, [
    tenantId,
    memberId ?? null,
    afterId ?? null,
    limit,
  ]);
}

/** Waits for others who change it. */
export async function lockGroup(tx: EntityManager, { tenantId, id }: GroupKey): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `select from user_group where tenant_id = $1 and id = $2 for update`,
    [tenantId, id],
  );
  return rows.length > 0;
}

/** @throws GroupNameTaken */
export async function renameGroup(
  tx: EntityManager,
  { tenantId, id, name }: GroupKey & { name: string },
): Promise<void> {
  await lockNames(tx, tenantId);
  const [, count] = await tx.query<[unknown, number]>(
    `update user_group set name = $3 where tenant_id = $1 and id = $2
       and not exists (select from user_group o where o.tenant_id = $1 and o.id <> $2 and lower(o.name) = lower($3))`,
    [tenantId, id, name],
  );
  if (count === 0) throw new GroupNameTaken();
}

/** With its grants. Returns who belonged to it, and how many grants went. */
export async function deleteGroup(
  tx: EntityManager,
  { tenantId, id }: GroupKey,
): Promise<{ memberIds: string[]; documentGrants: number; collectionGrants: number }> {
  const ofGroup = `where tenant_id = $1 and group_id = $2`;
  const [members] = await tx.query<[{ id: string }[], number]>(
    `delete from user_group_member ${ofGroup} returning user_id as id`,
    [tenantId, id],
  );
  const [, documentGrants] = await tx.query<[unknown, number]>(`delete from document_grant ${ofGroup}`, [
    tenantId,
    id,
  ]);
  const [, collectionGrants] = await tx.query<[unknown, number]>(`delete from collection_grant ${ofGroup}`, [
    tenantId,
    id,
  ]);
  await tx.query(`delete from user_group where tenant_id = $1 and id = $2`, [tenantId, id]);
  return { memberIds: members.map((member) => member.id), documentGrants, collectionGrants };
}

/** By id, which is the order in which they came to the tenant. */
export async function listMembers(
  tx: EntityManager,
  { tenantId, id }: GroupKey,
  { afterId, limit }: { afterId?: string; limit: number },
): Promise<Member[]> {
  return tx.query<Member[]>(
    `select u.id as "userId", u.email, m.added_at as "addedAt"
     from user_group_member m join app_user u on u.tenant_id = m.tenant_id and u.id = m.user_id
     where m.tenant_id = $1 and m.group_id = $2 and ($3::uuid is null or m.user_id > $3)
     order by m.user_id limit $4`,
    [tenantId, id, afterId ?? null, limit],
  );
}

/** False when he belongs to it already. */
export async function insertMember(
  tx: EntityManager,
  { tenantId, id }: GroupKey,
  userId: string,
): Promise<boolean> {
  const rows = await tx.query<unknown[]>(
    `insert into user_group_member (tenant_id, group_id, user_id) values ($1, $2, $3)
     on conflict do nothing returning user_id`,
    [tenantId, id, userId],
  );
  return rows.length > 0;
}

/** False when he did not belong to it. */
export async function deleteMember(
  tx: EntityManager,
  { tenantId, id }: GroupKey,
  userId: string,
): Promise<boolean> {
  const [, count] = await tx.query<[unknown, number]>(
    `delete from user_group_member where tenant_id = $1 and group_id = $2 and user_id = $3`,
    [tenantId, id, userId],
  );
  return count > 0;
}

/** Others who make one, or name one anew, wait for the commit, so that they see it. */
async function lockNames(tx: EntityManager, tenantId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('user_group'), hashtext($1))`, [tenantId]);
}

const SELECT = `
  select g.id, g.name, g.created_at as "createdAt",
         (select count(*)::int from user_group_member m where m.tenant_id = g.tenant_id and m.group_id = g.id)
           as members
  from user_group g
  where g.tenant_id = $1
    and ($2::uuid is null or exists (select from user_group_member m
                                     where m.tenant_id = $1 and m.group_id = g.id and m.user_id = $2))`;
