import type { EntityManager } from 'typeorm';
import { mayRead } from '../../rag/index.js';
import { type CollectionVisibility, MOST_COLLECTIONS } from './sharing.js';
import { TooManyCollections } from './sharing.errors.js';

/** A collection as somebody sees it. */
export interface Collection {
  name: string;
  /** That he may see. */
  documents: number;
  /** null: it is not shared as such; each of its documents is shared, or not, by itself. */
  visibility: CollectionVisibility | null;
}

/** By name. `all`: also those that are shared and in which he sees nothing. */
export async function listCollections(
  tx: EntityManager,
  { userId, all }: { userId: string; all: boolean },
  { afterName, limit }: { afterName?: string; limit: number },
): Promise<Collection[]> {
  return tx.query<Collection[]>(
    `select seen.name, sum(seen.documents)::int as documents, max(c.visibility) as visibility
     from (
       select d.collection as name, count(*) as documents from document d
       where d.tenant_id = app_tenant() and d.collection is not null and ${mayRead('d', '$1')}
       group by d.collection
       union all
       select name, 0 from document_collection where tenant_id = app_tenant() and $2
     ) as seen
     left join document_collection c on c.tenant_id = app_tenant() and c.name = seen.name
     where $3::text is null or seen.name > $3
     group by seen.name order by seen.name limit $4`,
    [userId, all, afterName ?? null, limit],
  );
}

export async function findCollection(
  tx: EntityManager,
  name: string,
): Promise<{ visibility: CollectionVisibility } | undefined> {
  const [row] = await tx.query<{ visibility: CollectionVisibility }[]>(
    `select visibility from document_collection where tenant_id = app_tenant() and name = $1`,
    [name],
  );
  return row;
}

/** Waits for others who share it; makes it, private, where nobody has yet. @throws TooManyCollections */
export async function lockCollection(
  tx: EntityManager,
  tenantId: string,
  name: string,
): Promise<{ visibility: CollectionVisibility; isNew: boolean }> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('document_collection'), hashtext($1))`, [tenantId]);
  const there = await findCollection(tx, name);
  if (there) return { ...there, isNew: false };
  const rows = await tx.query<unknown[]>(
    `insert into document_collection (tenant_id, name, visibility)
     select $1, $2, 'private' where (select count(*) from document_collection where tenant_id = $1) < $3
     returning name`,
    [tenantId, name, MOST_COLLECTIONS],
  );
  if (rows.length === 0) throw new TooManyCollections(MOST_COLLECTIONS);
  return { visibility: 'private', isNew: true };
}

export async function setCollectionVisibility(
  tx: EntityManager,
  name: string,
  visibility: CollectionVisibility,
): Promise<void> {
  await tx.query(
    `update document_collection set visibility = $2, updated_at = now()
     where tenant_id = app_tenant() and name = $1`,
    [name, visibility],
  );
}

/** Private documents of this person that are in the collection look to it from now on. Returns how many. */
export async function adoptOwn(tx: EntityManager, userId: string, collection: string): Promise<number> {
  const [, count] = await tx.query<[unknown, number]>(
    `update document d set visibility = 'collection'
     where d.tenant_id = app_tenant() and d.owner_id = $1 and d.collection = $2 and d.visibility = 'private'
       and not exists (select from document p where p.tenant_id = d.tenant_id and p.id = d.parent_id
                         and p.collection is distinct from d.collection)`,
    [userId, collection],
  );
  return count;
}
