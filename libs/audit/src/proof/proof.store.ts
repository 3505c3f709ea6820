import type { EntityManager } from 'typeorm';
import { EventNotSealed } from '../audit.errors.js';
import { consistencyPath, inclusionPath } from '../merkle/index.js';
import {
  type CheckpointRow,
  LOG,
  type StoredCheckpoint,
  subtreesOf,
  toCheckpoint,
} from '../sealing/index.js';

export const PROOF_FORMAT = 'insurance-navigator/audit-proof/v1';
export const CONSISTENCY_FORMAT = 'insurance-navigator/audit-consistency/v1';
export const TREE_CONSISTENCY_FORMAT = 'insurance-navigator/audit-tree-consistency/v1';

/** All that somebody who has our public key needs to be convinced that an event was in the log; hashes are base64. */
export interface EventProof {
  format: typeof PROOF_FORMAT;
  tenant_id: string;
  event_id: string;
  /** The exact text that was hashed. */
  body: string;
  leaf_index: number;
  /** The state of the tenant's tree that the log tells of. */
  tree: { size: number; root: string };
  /** From the leaf to the root of the tree: RFC 9162 section 2.1.3. */
  inclusion: string[];
  log_index: number;
  /** From the state of the tree to the root of the log. */
  log_inclusion: string[];
  /** A signed note (C2SP). */
  checkpoint: string;
}

/** That the log of one checkpoint is the beginning of that of another: RFC 9162 section 2.1.4. */
export interface ConsistencyProof {
  format: typeof CONSISTENCY_FORMAT;
  /** Signed notes. */
  from: string;
  to: string;
  path: string[];
}

/** A state of a tenant's tree, and the way from it to the root of the log. */
export interface ProvenState {
  size: number;
  root: string;
  log_index: number;
  log_inclusion: string[];
}

/** That one state of a tenant's tree is the beginning of another, and that a checkpoint tells of both. */
export interface TreeConsistencyProof {
  format: typeof TREE_CONSISTENCY_FORMAT;
  tenant_id: string;
  from: ProvenState;
  to: ProvenState;
  path: string[];
  /** A signed note. */
  checkpoint: string;
}

/**
 * Needs the scope of an auditor, because hashes of others' trees are on the way.
 *
 * @returns undefined when the tenant has no such event
 * @throws EventNotSealed while no checkpoint tells of it
 */
export async function proveEvent(
  tx: EntityManager,
  tenantId: string,
  eventId: string,
): Promise<EventProof | undefined> {
  const [event] = (await tx.query(
    `select convert_from(e.body, 'UTF8') as body, l.leaf_index
     from audit_event e left join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id
     where e.tenant_id = $1 and e.id = $2`,
    [tenantId, eventId],
  )) as { body: string; leaf_index: string | null }[];
  if (!event) return undefined;
  if (event.leaf_index === null) throw new EventNotSealed();
  const leafIndex = Number(event.leaf_index);
  const [checkpoint] = await listCheckpoints(tx, { limit: 1 });
  const [head] = (await tx.query(
    `select log_index, size, root from audit_head
     where tenant_id = $1 and size > $2 and log_index < $3 order by log_index desc limit 1`,
    [tenantId, leafIndex, checkpoint?.logSize ?? 0],
  )) as { log_index: string; size: string; root: Buffer }[];
  if (!checkpoint || !head) throw new EventNotSealed();
  const [logIndex, size] = [Number(head.log_index), Number(head.size)];
  const path = await inclusionPath(leafIndex, size, subtreesOf(tx, tenantId));
  const logPath = await inclusionPath(logIndex, checkpoint.logSize, subtreesOf(tx, LOG));
  return {
    format: PROOF_FORMAT,
    tenant_id: tenantId,
    event_id: eventId,
    body: event.body,
    leaf_index: leafIndex,
    tree: { size, root: head.root.toString('base64') },
    inclusion: path.map(toBase64),
    log_index: logIndex,
    log_inclusion: logPath.map(toBase64),
    checkpoint: checkpoint.note,
  };
}

/**
 * Needs the scope of an auditor.
 *
 * @param from number of the older checkpoint
 * @param to of the newer one
 * @returns undefined when one of them is not there, or they stand the other way round
 */
export async function proveConsistency(
  tx: EntityManager,
  from: number,
  to: number,
): Promise<ConsistencyProof | undefined> {
  const [older] = await listCheckpoints(tx, { limit: 1, before: from + 1 });
  const [newer] = await listCheckpoints(tx, { limit: 1, before: to + 1 });
  if (older?.no !== from || newer?.no !== to || from > to) return undefined;
  // The empty log is the beginning of every log.
  const path =
    older.logSize === 0 ? [] : await consistencyPath(older.logSize, newer.logSize, subtreesOf(tx, LOG));
  return { format: CONSISTENCY_FORMAT, from: older.note, to: newer.note, path: path.map(toBase64) };
}

/**
 * Needs the scope of an auditor.
 *
 * @param from leaves of the tenant's tree, as a proof of one of its events says them; so is `to`
 * @returns undefined when no checkpoint tells of a tree of that size, or they stand the other way round
 */
export async function proveTreeConsistency(
  tx: EntityManager,
  tenantId: string,
  from: number,
  to: number,
): Promise<TreeConsistencyProof | undefined> {
  const [checkpoint] = await listCheckpoints(tx, { limit: 1 });
  if (!checkpoint || from > to) return undefined;
  const older = await proveState(tx, tenantId, from, checkpoint.logSize);
  const newer = await proveState(tx, tenantId, to, checkpoint.logSize);
  if (!older || !newer) return undefined;
  const path = await consistencyPath(from, to, subtreesOf(tx, tenantId));
  return {
    format: TREE_CONSISTENCY_FORMAT,
    tenant_id: tenantId,
    from: older,
    to: newer,
    path: path.map(toBase64),
    checkpoint: checkpoint.note,
  };
}

async function proveState(
  tx: EntityManager,
  tenantId: string,
  size: number,
  logSize: number,
): Promise<ProvenState | undefined> {
  const [head] = (await tx.query(
    `select log_index, root from audit_head where tenant_id = $1 and size = $2 and log_index < $3 limit 1`,
    [tenantId, size, logSize],
  )) as { log_index: string; root: Buffer }[];
  if (!head) return undefined;
  const logIndex = Number(head.log_index);
  const path = await inclusionPath(logIndex, logSize, subtreesOf(tx, LOG));
  return { size, root: toBase64(head.root), log_index: logIndex, log_inclusion: path.map(toBase64) };
}

/** The newest first. */
export async function listCheckpoints(
  tx: EntityManager,
  { before, limit }: { before?: number; limit: number },
): Promise<StoredCheckpoint[]> {
  const rows = (await tx.query(
    `select no, at, log_size, note from audit_checkpoint
     where $1::bigint is null or no < $1 order by no desc limit $2`,
    [before ?? null, limit],
  )) as CheckpointRow[];
  return rows.map(toCheckpoint);
}

const toBase64 = (bytes: Buffer) => bytes.toString('base64');
