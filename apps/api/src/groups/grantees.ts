import type { EntityManager } from 'typeorm';

/** Whom something is granted: a user (a program has one too) or all members of a group. */
export interface Grantee {
  kind: 'user' | 'group';
  id: string;
}

/**
 * Those of them that there are in the tenant. None of these leaves before the transaction ends, so that nothing is
 * granted to who is gone.
 */
export async function lockGrantees(
  tx: EntityManager,
  tenantId: string,
  grantees: readonly Grantee[],
): Promise<Grantee[]> {
  const idsOf = (kind: Grantee['kind']) => grantees.filter((one) => one.kind === kind).map(({ id }) => id);
  const users = await tx.query<{ id: string }[]>(
    `select u.id from app_user u
     where u.tenant_id = $1 and u.id = any ($2::uuid[]) and u.removed_at is null
       and not exists (select from service_account s
                       where s.tenant_id = u.tenant_id and s.user_id = u.id and s.deleted_at is not null)
     order by u.id for share of u`,
    [tenantId, idsOf('user')],
  );
  const groups = await tx.query<{ id: string }[]>(
    `select id from user_group where tenant_id = $1 and id = any ($2::uuid[]) order by id for share`,
    [tenantId, idsOf('group')],
  );
  return [
    ...users.map(({ id }) => ({ kind: 'user', id }) as const),
    ...groups.map(({ id }) => ({ kind: 'group', id }) as const),
  ];
}
