import type { AuditColumns } from '../event/audit-body.js';

/**
 * Everything that the evidence of a log consists of, one record a line (NDJSON), in this order: the archive, checkpoints,
 * heads and tiles of the log, then for each tenant its tree, tiles of higher levels, and its entries with each full tile
 * of leaves before them; then events without a leaf, and the end. Bytes are base64.
 */
export type ArchiveRecord =
  | ArchiveStart
  | { type: 'checkpoint'; no: number; note: string }
  | HeadRecord
  | { type: 'tree'; tenant_id: string; size: number; root: string }
  | TileRecord
  | EntryRecord
  | UnsealedRecord
  | { type: 'end'; records: number };

export interface ArchiveStart {
  type: 'archive';
  format: typeof ARCHIVE_FORMAT;
  /** RFC 3339: when it was read. */
  at: string;
}

/** The state of a tenant's tree, as the log says it. */
export interface HeadRecord {
  type: 'head';
  log_index: number;
  tenant_id: string | null;
  size: number | null;
  root: string | null;
  /** Of the leaf of the log at this place; null when there is none. */
  hash: string | null;
}

export interface TileRecord {
  type: 'tile';
  tenant_id: string;
  level: number;
  index: number;
  hashes: string;
  root: string;
}

export interface EntryRecord {
  type: 'entry';
  tenant_id: string;
  leaf_index: number;
  event_id: string;
  /** As it is stored. */
  hash: string;
  /** The exact text that was hashed; null when the event is gone. */
  body: string | null;
  columns: AuditColumns | null;
}

export interface UnsealedRecord {
  type: 'unsealed';
  tenant_id: string;
  event_id: string;
  occurred_at: string;
  /** Whether its place was passed already, so that it must have come there later. */
  behind: boolean;
}

export const ARCHIVE_FORMAT = 'insurance-navigator/audit-archive/v1';
