import { z } from 'zod';
import { cursorQuery, decodeCursor, pageOf } from '#libs/http';

const hash = z.string().describe('SHA-256, base64.');
const note = z.string().describe('A checkpoint as a signed note (C2SP).');

export const AuditProof = z
  .object({
    format: z.string(),
    tenant_id: z.uuid(),
    event_id: z.uuid(),
    body: z.string().describe('The exact text that was hashed.'),
    leaf_index: z.int(),
    tree: z.object({ size: z.int(), root: hash }),
    inclusion: z.array(hash),
    log_index: z.int(),
    log_inclusion: z.array(hash),
    checkpoint: note,
  })
  .describe('From the event up to a signature, for tools/audit_verify.py.');

export const ListCheckpoints = z.strictObject({ ...cursorQuery });
export type ListCheckpoints = z.infer<typeof ListCheckpoints>;

/** The number of the last checkpoint of the page before. */
const CheckpointCursor = z.tuple([z.int().min(1)]);

export const CheckpointItem = z.object({
  no: z.int(),
  at: z.iso.datetime(),
  log_size: z.int().describe('Leaves of the log that it signs.'),
  note,
});
export type CheckpointItem = z.infer<typeof CheckpointItem>;
export const CheckpointPage = pageOf(CheckpointItem);
export type CheckpointPage = z.infer<typeof CheckpointPage>;

export const checkpointNo = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const AskConsistency = z.strictObject({
  tree: z
    .enum(['log', 'tenant'])
    .default('log')
    .describe('log: over the trees of all tenants; tenant: over the events of the own tenant.'),
  from: checkpointNo.describe('log: number of the older checkpoint. tenant: leaves of the smaller tree.'),
  to: checkpointNo.describe('log: number of the newer one. tenant: leaves of the larger tree.'),
});
export type AskConsistency = z.infer<typeof AskConsistency>;

const provenState = z.object({
  size: z.int(),
  root: hash,
  log_index: z.int(),
  log_inclusion: z.array(hash),
});
export const ConsistencyProof = z.union([
  z.object({ format: z.string(), from: note, to: note, path: z.array(hash) }),
  z.object({
    format: z.string(),
    tenant_id: z.uuid(),
    from: provenState,
    to: provenState,
    path: z.array(hash),
    checkpoint: note,
  }),
]);
export type ConsistencyProof = z.infer<typeof ConsistencyProof>;

export const AuditKeyList = z.object({
  origin: z.string().describe('The first line of every checkpoint.'),
  keys: z.array(z.string()).describe('Verifier keys (C2SP): name+id+key. The first one signs now.'),
});
export type AuditKeyList = z.infer<typeof AuditKeyList>;

export function beforeOf({ cursor }: ListCheckpoints): number | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, CheckpointCursor)[0];
}
