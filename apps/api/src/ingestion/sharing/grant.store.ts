import type { EntityManager } from 'typeorm';
import { type Grantee, lockGrantees } from '../../groups/index.js';
import type { NamedGrantee } from './sharing.js';
import { GranteesNotFound } from './sharing.errors.js';

/** What grants are of: the column that names it, and its table. */
interface GrantTable {
  name: 'document_grant' | 'collection_grant';
  of: 'document_id' | 'collection';
  type: 'uuid' | 'text';
}
export const DOCUMENT_GRANTS: GrantTable = { name: 'document_grant', of: 'document_id', type: 'uuid' };
export const COLLECTION_GRANTS: GrantTable = { name: 'collection_grant', of: 'collection', type: 'text' };

/** In the order of their names. */
export async function listGrants(tx: EntityManager, table: GrantTable, of: string): Promise<NamedGrantee[]> {
  return tx.query<NamedGrantee[]>(
    `select case when g.user_id is null then 'group' else 'user' end as kind, g.grantee_id as id,
            coalesce(u.email, t.name) as name
     from ${table.name} g
     left join app_user u on u.tenant_id = g.tenant_id and u.id = g.user_id
     left join user_group t on t.tenant_id = g.tenant_id and t.id = g.group_id
     where g.tenant_id = app_tenant() and g.${table.of} = $1
     order by name, id`,
    [of],
  );
}

/** Puts these grants in the place of those that there are. @throws GranteesNotFound */
export async function replaceGrants(
  tx: EntityManager,
  table: GrantTable,
  { tenantId, of }: { tenantId: string; of: string },
  grants: readonly Grantee[],
): Promise<void> {
  const known = await lockGrantees(tx, tenantId, grants);
  const isKnown = new Set(known.map(({ kind, id }) => `${kind} ${id}`));
  const unknown = grants.filter(({ kind, id }) => !isKnown.has(`${kind} ${id}`));
  if (unknown.length > 0) throw new GranteesNotFound(unknown);
  const idsOf = (wanted: Grantee['kind']) => known.filter(({ kind }) => kind === wanted).map(({ id }) => id);
  const [users, groups] = [idsOf('user'), idsOf('group')];
  await tx.query(
    `delete from ${table.name}
     where tenant_id = $1 and ${table.of} = $2 and not grantee_id = any ($3::uuid[])`,
    [tenantId, of, [...users, ...groups]],
  );
  await tx.query(
    `insert into ${table.name} (tenant_id, ${table.of}, user_id, group_id)
     select $1::uuid, $2::${table.type}, user_id, null from unnest($3::uuid[]) as user_id
     union all
     select $1::uuid, $2::${table.type}, null, group_id from unnest($4::uuid[]) as group_id
     on conflict do nothing`,
    [tenantId, of, users, groups],
  );
}
