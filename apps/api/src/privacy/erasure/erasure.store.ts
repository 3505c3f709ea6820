import type { EntityManager } from 'typeorm';
import type { Erasure, ErasureRun, NewErasure } from './erasure.js';
import type { ClaimedRun } from './run.store.js';

export async function insertErasure(tx: EntityManager, erasure: NewErasure): Promise<Erasure> {
  const { tenantId, id, userId, requestedBy, heirId, sharedDocuments, wasSuspended, graceDays } = erasure;
  const rows = await tx.query<Erasure[]>(
    `insert into erasure (tenant_id, id, user_id, requested_by, heir_id, shared_documents, was_suspended, run_at)
     values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8)) returning ${COLUMNS}`,
    [tenantId, id, userId, requestedBy, heirId, sharedDocuments, wasSuspended, graceDays],
  );
  return rows[0]!;
}

export async function findErasure(
  tx: EntityManager,
  tenantId: string,
  id: string,
): Promise<Erasure | undefined> {
  const [row] = await tx.query<Erasure[]>(`select ${COLUMNS} from erasure where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return row;
}

/** The newest first: those before `before`. */
export async function listErasures(
  tx: EntityManager,
  tenantId: string,
  { before, limit }: { before?: string; limit: number },
): Promise<Erasure[]> {
  return tx.query<Erasure[]>(
    `select ${COLUMNS} from erasure where tenant_id = $1 and ($2::uuid is null or id < $2::uuid)
     order by id desc limit $3`,
    [tenantId, before ?? null, limit],
  );
}

/** Of one that is claimed. Whoever asked takes over when who should is gone himself. */
export async function getRun(tx: EntityManager, run: ClaimedRun): Promise<ErasureRun> {
  const [row] = await tx.query<Pick<ErasureRun, 'userId' | 'heirId' | 'sharedDocuments'>[]>(
    `select user_id as "userId", heir_id as "heirId", shared_documents as "sharedDocuments"
     from erasure where tenant_id = $1 and id = $2`,
    [run.tenantId, run.id],
  );
  return { ...run, ...row! };
}

/**
 * Takes the documents that are to go out of everybody's sight: nobody but their owner, who is locked out, sees a private
 * one. Called again when it runs, for those that have come since. Returns the ids of those that are new.
 */
export async function withholdDocuments(
  tx: EntityManager,
  {
    tenantId,
    id,
    userId,
    sharedDocuments,
  }: Pick<ErasureRun, 'tenantId' | 'id' | 'userId' | 'sharedDocuments'>,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }[]>(
    `insert into erasure_document (tenant_id, erasure_id, document_id, visibility)
     select d.tenant_id, $2, d.id, d.visibility from document d
     where d.tenant_id = $1 and d.owner_id = $3 and ($4 = 'delete' or not ${IS_SHARED})
     on conflict do nothing returning document_id as id`,
    [tenantId, id, userId, sharedDocuments],
  );
  await tx.query(
    `update document d set visibility = 'private', updated_at = now() from erasure_document e
     where e.tenant_id = $1 and e.erasure_id = $2 and not e.removed
       and d.tenant_id = e.tenant_id and d.id = e.document_id and d.visibility <> 'private'`,
    [tenantId, id],
  );
  return rows.map((row) => row.id);
}

/** Nothing more comes in for him. */
export async function endImports(tx: EntityManager, tenantId: string, userId: string): Promise<void> {
  await tx.query(
    `update import_batch set state = 'cancelled'
     where tenant_id = $1 and owner_id = $2 and finished_at is null and state <> 'cancelled'`,
    [tenantId, userId],
  );
}

/** Gives documents back their place. */
export async function restoreDocuments(tx: EntityManager, tenantId: string, id: string): Promise<void> {
  await tx.query(
    `update document d set visibility = e.visibility, updated_at = now() from erasure_document e
     where e.tenant_id = $1 and e.erasure_id = $2 and d.tenant_id = e.tenant_id and d.id = e.document_id
       and d.visibility <> e.visibility`,
    [tenantId, id],
  );
  await tx.query(`delete from erasure_document where tenant_id = $1 and erasure_id = $2`, [tenantId, id]);
}

/** What others see goes to the heir, also what came inside something that does not. Returns how many there were. */
export async function transferDocuments(tx: EntityManager, run: ErasureRun): Promise<number> {
  const [, count] = await tx.query<[unknown, number]>(
    `update document d set owner_id = $4, updated_at = now(),
            parent_id = case when exists (
              select from erasure_document e
              where e.tenant_id = $1 and e.erasure_id = $2 and e.document_id = d.parent_id) then null else d.parent_id end
     where d.tenant_id = $1 and d.owner_id = $3
       and not exists (select from erasure_document e
                       where e.tenant_id = $1 and e.erasure_id = $2 and e.document_id = d.id)`,
    [run.tenantId, run.id, run.userId, run.heirId],
  );
  return count;
}

/** One that is still there, what came inside another one before that. */
export async function nextDocument(
  tx: EntityManager,
  { tenantId, id }: ClaimedRun,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }[]>(
    `select e.document_id as id from erasure_document e
     where e.tenant_id = $1 and e.erasure_id = $2 and not e.removed
     order by exists (select from document c where c.tenant_id = $1 and c.parent_id = e.document_id), e.document_id
     limit 1`,
    [tenantId, id],
  );
  return row?.id;
}

/** Notes what went, and the files that may go once this is committed. */
export async function noteRemoved(
  tx: EntityManager,
  { tenantId, id }: ClaimedRun,
  documentIds: readonly string[],
  files: readonly Buffer[],
): Promise<void> {
  await tx.query(
    `insert into erasure_document (tenant_id, erasure_id, document_id, visibility, removed)
     select $1, $2, gone, 'private', true from unnest($3::uuid[]) gone
     on conflict (tenant_id, erasure_id, document_id) do update set removed = true`,
    [tenantId, id, documentIds],
  );
  await tx.query(
    `insert into erasure_file (tenant_id, erasure_id, sha256) select $1, $2, file from unnest($3::bytea[]) file
     on conflict do nothing`,
    [tenantId, id, files],
  );
}

/** Some of the files that are to go. */
export async function listFiles(
  tx: EntityManager,
  { tenantId, id }: ClaimedRun,
  limit: number,
): Promise<Buffer[]> {
  const rows = await tx.query<{ sha256: Buffer }[]>(
    `select sha256 from erasure_file where tenant_id = $1 and erasure_id = $2 order by sha256 limit $3`,
    [tenantId, id, limit],
  );
  return rows.map((row) => row.sha256);
}

export async function forgetFiles(
  tx: EntityManager,
  { tenantId, id }: ClaimedRun,
  files: readonly Buffer[],
): Promise<void> {
  await tx.query(
    `delete from erasure_file where tenant_id = $1 and erasure_id = $2 and sha256 = any ($3::bytea[])`,
    [tenantId, id, files],
  );
}

/** Whether somebody besides its owner may see the document `d`. */
const IS_SHARED = `(d.visibility in ('tenant', 'shared') or d.visibility = 'collection' and exists (
  select from document_collection c
  where c.tenant_id = d.tenant_id and c.name = d.collection and c.visibility <> 'private'))`;

const COLUMNS = `
  tenant_id as "tenantId", id, user_id as "userId", requested_by as "requestedBy", heir_id as "heirId",
  shared_documents as "sharedDocuments", was_suspended as "wasSuspended", state, run_at as "runAt", counts,
  created_at as "createdAt", finished_at as "finishedAt"`;
