import type { EntityManager } from 'typeorm';
import type { ExportFile, ExportJob, ExportParameters, NewExport } from './export.js';

/** A process that dies over it so often will do so again. */
export const MAX_ATTEMPTS = 3;
/** How long it is told what became of an export. */
const FORGOTTEN_AFTER_DAYS = 30;
/** Any number; two requests of a tenant count one after the other. */
const LIMITS_LOCK = 7_214_028;

/** An export in the hands of a worker. */
export interface ClaimedExport extends ExportJob {
  claimId: string;
  attempts: number;
}

export interface ExportOutcome {
  rows: number;
  bytes: number;
  sha256: string;
  manifest: string;
  finishedAt: Date;
  expiresAt: Date;
}

export interface ExportFilter {
  tenantId: string;
  kinds: readonly string[];
  /** Those of one person only. */
  requestedBy?: string;
  /** Those with these parameters among theirs. */
  parameters?: ExportParameters;
}

/** Holds up other requests of the tenant until the transaction ends. */
export async function countUnderLock(
  tx: EntityManager,
  tenantId: string,
): Promise<{ waiting: number; kept: number }> {
  await tx.query(`select pg_advisory_xact_lock(${LIMITS_LOCK}, hashtext($1))`, [tenantId]);
  const [row] = (await tx.query(
    `select count(*) filter (where state in ('queued', 'running'))::int as waiting, count(*)::int as kept
     from export_job where tenant_id = $1 and state in ('queued', 'running', 'ready')`,
    [tenantId],
  )) as [{ waiting: number; kept: number }];
  return row;
}

/** Does nothing when the request is a repeat. */
export async function insertExport(
  tx: EntityManager,
  id: string,
  { tenantId, requestedBy, kind, parameters }: NewExport,
  { name, mediaType, gzip = false }: ExportFile,
): Promise<void> {
  await tx.query(
    `insert into export_job (tenant_id, id, kind, requested_by, parameters, file_name, media_type, gzip)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant_id, id) do nothing`,
    [tenantId, id, kind, requestedBy, parameters, gzip ? `${name}.gz` : name, mediaType, gzip],
  );
}

export async function findExport(
  tx: EntityManager,
  { tenantId, kinds, requestedBy, parameters = {} }: ExportFilter,
  id: string,
): Promise<ExportJob | undefined> {
  const rows = (await tx.query(
    `select ${COLUMNS} from export_job
     where tenant_id = $1 and id = $2 and kind = any ($3) and ($4::uuid is null or requested_by = $4)
       and parameters @> $5::jsonb`,
    [tenantId, id, kinds, requestedBy ?? null, parameters],
  )) as ExportRow[];
  return rows.map(toJob)[0];
}

/** The newest first: ids tell the time. */
export async function listExports(
  tx: EntityManager,
  { tenantId, kinds, requestedBy, parameters = {} }: ExportFilter,
  { before, limit }: { before?: string; limit: number },
): Promise<ExportJob[]> {
  const rows = (await tx.query(
    `select ${COLUMNS} from export_job
     where tenant_id = $1 and kind = any ($2) and ($3::uuid is null or requested_by = $3)
       and ($4::uuid is null or id < $4) and parameters @> $6::jsonb
     order by id desc limit $5`,
    [tenantId, kinds, requestedBy ?? null, before ?? null, limit, parameters],
  )) as ExportRow[];
  return rows.map(toJob);
}

/** False when it had no file any more and none to come. */
export async function cancelExport(tx: EntityManager, tenantId: string, id: string): Promise<boolean> {
  const [, count] = (await tx.query(
    `update export_job set state = 'cancelled', ${RELEASED}, finished_at = now(), ${FILELESS}
     where tenant_id = $1 and id = $2 and state in ('queued', 'running', 'ready')`,
    [tenantId, id],
  )) as [unknown, number];
  return count > 0;
}

/** The next one of the tenant that has the fewest under way; also one whose worker has given no sign of life. */
export async function claimExport(
  tx: EntityManager,
  kinds: readonly string[],
  leaseMs: number,
): Promise<ClaimedExport | undefined> {
  const [rows] = (await tx.query(
    `update export_job set state = 'running', claim_id = gen_random_uuid(), attempts = attempts + 1, rows = 0,
            lease_until = now() + make_interval(secs => $2 / 1000.0)
     where (tenant_id, id) = (
       select j.tenant_id, j.id from export_job j
       where ((j.state = 'queued' and j.run_at <= now()) or (j.state = 'running' and j.lease_until < now()))
         and j.kind = any ($1) and j.attempts < ${MAX_ATTEMPTS}
       order by (select count(*) from export_job r
                 where r.tenant_id = j.tenant_id and r.state = 'running' and r.lease_until >= now()), j.created_at
       limit 1 for update skip locked)
     returning ${COLUMNS}, claim_id, attempts`,
    [kinds, leaseMs],
  )) as [(ExportRow & { claim_id: string; attempts: number })[], number];
  const [row] = rows;
  return row && { ...toJob(row), claimId: row.claim_id, attempts: row.attempts };
}

/** False when it is no longer ours. It stays locked until the transaction ends. */
export async function holdExport(
  tx: EntityManager,
  { tenantId, id, claimId }: ClaimedExport,
  rows: number,
  leaseMs: number,
): Promise<boolean> {
  const [, count] = (await tx.query(
    `update export_job set rows = $4, lease_until = now() + make_interval(secs => $5 / 1000.0)
     where tenant_id = $1 and id = $2 and claim_id = $3 and state = 'running'`,
    [tenantId, id, claimId, rows, leaseMs],
  )) as [unknown, number];
  return count === 1;
}

export async function finishExport(
  tx: EntityManager,
  { tenantId, id, claimId }: ClaimedExport,
  { rows, bytes, sha256, manifest, finishedAt, expiresAt }: ExportOutcome,
): Promise<void> {
  await tx.query(
    `update export_job set state = 'ready', ${RELEASED}, rows = $4, bytes = $5, sha256 = decode($6, 'hex'),
            manifest = $7, finished_at = $8, expires_at = $9
     where tenant_id = $1 and id = $2 and claim_id = $3`,
    [tenantId, id, claimId, rows, bytes, sha256, manifest, finishedAt, expiresAt],
  );
}

export async function failExport(
  tx: EntityManager,
  { tenantId, id, claimId }: ClaimedExport,
  reason: string,
): Promise<void> {
  await tx.query(
    `update export_job set state = 'failed', ${RELEASED}, reason = $4, finished_at = now()
     where tenant_id = $1 and id = $2 and claim_id = $3 and state = 'running'`,
    [tenantId, id, claimId, reason],
  );
}

/** Somebody takes it up `delayMs` from now. @param isAttempt whether it counts as one that failed */
export async function putBackExport(
  tx: EntityManager,
  { tenantId, id, claimId }: ClaimedExport,
  { delayMs, isAttempt }: { delayMs: number; isAttempt: boolean },
): Promise<void> {
  await tx.query(
    `update export_job set state = 'queued', ${RELEASED}, attempts = attempts - $4,
            run_at = now() + make_interval(secs => $5 / 1000.0)
     where tenant_id = $1 and id = $2 and claim_id = $3 and state = 'running'`,
    [tenantId, id, claimId, isAttempt ? 0 : 1, delayMs],
  );
}

/** Ends what nobody may take up again or download any more, and forgets what is long over. */
export async function settleOverdue(tx: EntityManager): Promise<{ expired: number; abandoned: number }> {
  const [, expired] = (await tx.query(
    `update export_job set state = 'expired', ${FILELESS} where state = 'ready' and expires_at < now()`,
  )) as [unknown, number];
  const [, abandoned] = (await tx.query(
    `update export_job set state = 'failed', ${RELEASED}, reason = 'export-abandoned', finished_at = now()
     where state = 'running' and lease_until < now() and attempts >= ${MAX_ATTEMPTS}`,
  )) as [unknown, number];
  await tx.query(
    `delete from export_job where finished_at < now() - make_interval(days => ${FORGOTTEN_AFTER_DAYS})
       and state in ('failed', 'expired', 'cancelled')`,
  );
  return { expired, abandoned };
}

/** Of these exports of a tenant, those that have a file, or a claim under which one is being written. */
export async function listKept(
  tx: EntityManager,
  tenantId: string,
  ids: readonly string[],
): Promise<{ id: string; claimId: string | null }[]> {
  return (await tx.query(
    `select id, claim_id as "claimId" from export_job
     where tenant_id = $1 and id = any ($2) and state in ('ready', 'running')`,
    [tenantId, ids],
  )) as { id: string; claimId: string | null }[];
}

interface ExportRow extends Omit<ExportJob, 'rows' | 'bytes'> {
  rows: string;
  bytes: string | null;
}

function toJob(row: ExportRow): ExportJob {
  const { tenantId, id, kind, requestedBy, parameters, state, fileName, mediaType, gzip } = row;
  const { sha256, manifest, reason, createdAt, finishedAt, expiresAt } = row;
  const request = { tenantId, id, kind, requestedBy, parameters, state, fileName, mediaType, gzip };
  const sizes = { rows: Number(row.rows), bytes: row.bytes === null ? null : Number(row.bytes) };
  return { ...request, ...sizes, sha256, manifest, reason, createdAt, finishedAt, expiresAt };
}

const RELEASED = 'claim_id = null, lease_until = null';
const FILELESS = 'bytes = null, sha256 = null, manifest = null';
const COLUMNS = `
  tenant_id as "tenantId", id, kind, requested_by as "requestedBy", parameters, state, file_name as "fileName",
  media_type as "mediaType", gzip, rows, bytes, encode(sha256, 'hex') as sha256, manifest, reason,
  created_at as "createdAt", finished_at as "finishedAt", expires_at as "expiresAt"`;
