import type { EntityManager } from 'typeorm';
import { uuidv7 } from '#libs/database';
import { canonicalJson } from '../event/canonical-json.js';
import { Frontier, leafHash } from '../merkle/index.js';
import { checkpointText, type NoteSigner, signNote } from '../notes/index.js';
import { lockForSealing } from './seal.store.js';
import { appendLeaves, LOG } from './tree.store.js';

/** Of one checkpoint; trees beyond that come with the next. */
const MOST_HEADS = 5_000;
/** A log at rest is signed as well, less often. */
const HEARTBEAT_FACTOR = 6;

export interface StoredCheckpoint {
  no: number;
  /** RFC 3339. */
  at: string;
  logSize: number;
  /** A signed note. */
  note: string;
}

/** The state of a tenant's tree, as it stands in the log: these bytes are hashed. */
export function headBody(head: { tenantId: string; size: number; root: Buffer }): string {
  return canonicalJson({ root: head.root.toString('base64'), size: head.size, tenant_id: head.tenantId });
}

/**
 * Writes the heads of all trees that have grown into the log, and signs its root. Nothing happens before it is time, or
 * while another process seals.
 *
 * @param everyMs while there is something new; six times as long otherwise
 * @returns the new checkpoint
 */
export async function checkpoint(
  tx: EntityManager,
  signer: NoteSigner,
  everyMs: number,
): Promise<StoredCheckpoint | undefined> {
  if (!(await lockForSealing(tx))) return undefined;
  const [last] = (await tx.query(
    `select no, extract(epoch from clock_timestamp() - at)::float8 * 1000 as age_ms
     from audit_checkpoint order by no desc limit 1`,
  )) as { no: string; age_ms: number }[];
  const ageMs = last?.age_ms ?? Infinity;
  if (ageMs < everyMs) return undefined;
  const grown = (await tx.query(
    `select tenant_id, size, frontier from audit_tree
     where size > checkpointed_size and tenant_id <> $1 order by tenant_id limit ${MOST_HEADS}`,
    [LOG],
  )) as { tenant_id: string; size: string; frontier: Buffer }[];
  if (grown.length === 0 && ageMs < HEARTBEAT_FACTOR * everyMs) return undefined;
  const log = await appendHeads(
    tx,
    grown.map((row) => ({
      tenantId: row.tenant_id,
      frontier: Frontier.from(Number(row.size), row.frontier),
    })),
  );
  const at = new Date().toISOString();
  const text = checkpointText({ origin: signer.name, size: log.size, root: log.root(), at });
  const stored = { no: Number(last?.no ?? 0) + 1, at, logSize: log.size, note: signNote(text, signer) };
  await tx.query(`insert into audit_checkpoint (no, at, log_size, note) values ($1, $2, $3, $4)`, [
    stored.no,
    stored.at,
    stored.logSize,
    stored.note,
  ]);
  return stored;
}

async function appendHeads(
  tx: EntityManager,
  trees: { tenantId: string; frontier: Frontier }[],
): Promise<Frontier> {
  const heads = trees.map(({ tenantId, frontier: { size }, frontier }) => ({
    id: uuidv7(),
    tenantId,
    size,
    root: frontier.root(),
  }));
  const leaves = heads.map((head) => ({ eventId: head.id, hash: leafHash(Buffer.from(headBody(head))) }));
  const log = (await appendLeaves(tx, new Map([[LOG, leaves]]))).get(LOG)!;
  await tx.query(
    `insert into audit_head (tenant_id, log_index, id, size, root)
     select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bytea[])`,
    [
      heads.map(({ tenantId }) => tenantId),
      heads.map((_, i) => log.size - heads.length + i),
      heads.map(({ id }) => id),
      heads.map(({ size }) => size),
      heads.map(({ root }) => root),
    ],
  );
  await tx.query(
    `update audit_tree t set checkpointed_size = h.size
     from unnest($1::uuid[], $2::bigint[]) as h (tenant_id, size) where t.tenant_id = h.tenant_id`,
    [
      [...heads.map(({ tenantId }) => tenantId), LOG],
      [...heads.map(({ size }) => size), log.size],
    ],
  );
  return log;
}

/** The newest checkpoint, unless this target has it already. */
export async function findUnanchored(
  tx: EntityManager,
  target: AnchorTarget,
): Promise<StoredCheckpoint | undefined> {
  const [row] = (await tx.query(
    `select no, at, log_size, note from audit_checkpoint c order by no desc limit 1`,
  )) as CheckpointRow[];
  if (!row) return undefined;
  const [anchored] = (await tx.query(
    `select 1 as found from audit_anchor where target = $1 and checkpoint_no = $2`,
    [target, row.no],
  )) as object[];
  return anchored ? undefined : toCheckpoint(row);
}

export async function markAnchored(tx: EntityManager, target: AnchorTarget, no: number): Promise<void> {
  await tx.query(`insert into audit_anchor (target, checkpoint_no) values ($1, $2) on conflict do nothing`, [
    target,
    no,
  ]);
}

export type AnchorTarget = 'file' | 'webhook';

export interface CheckpointRow {
  no: string;
  at: Date;
  log_size: string;
  note: string;
}

export function toCheckpoint({ no, at, log_size, note }: CheckpointRow): StoredCheckpoint {
  return { no: Number(no), at: at.toISOString(), logSize: Number(log_size), note };
}
