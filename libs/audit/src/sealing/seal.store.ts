import type { EntityManager } from 'typeorm';
import { appendLeaves, type NewLeaf } from './tree.store.js';

/** Any number; every replica must use the same one. */
const SEALER_LOCK = 7_214_003;
/** Of one transaction. */
export const SEAL_BATCH = 4_000;

export interface Sealed {
  /** Whether this process is the one that seals; another one may be. */
  leads: boolean;
  /** Seconds from when each event was written to now. */
  ages: number[];
  /** Of the oldest event that is not sealed, in seconds; 0 when all are. */
  lagSeconds: number;
}

interface SealState {
  xid: string;
  event_id: string;
  restored: boolean;
}

/** Held until the end of the transaction, so that no process that died can keep it. */
export async function lockForSealing(tx: EntityManager): Promise<boolean> {
  const [{ leads }] = (await tx.query(`select pg_try_advisory_xact_lock(${SEALER_LOCK}) as leads`)) as [
    { leads: boolean },
  ];
  return leads;
}

/**
 * Gives the events of finished transactions their places, in the order (transaction, id). All transactions below the oldest
 * one that is still under way have ended, so nothing can appear behind the place that is reached: there are no gaps, and
 * writers never wait for one another.
 */
export async function sealBatch(tx: EntityManager): Promise<Sealed> {
  const leads = await lockForSealing(tx);
  // Read after the lock is held: what the sealer before wrote is in it.
  const state = await readState(tx);
  if (!leads) return { leads, ages: [], lagSeconds: await lagAfter(tx, state) };
  const events = (await tx.query(UNSEALED, [state.xid, state.event_id, state.restored, SEAL_BATCH])) as {
    tenant_id: string;
    id: string;
    xid: string;
    hash: Buffer;
    age: number;
  }[];
  const last = events.at(-1);
  if (!last) return { leads, ages: [], lagSeconds: await lagAfter(tx, state) };
  const leaves = new Map<string, NewLeaf[]>();
  for (const { tenant_id, id, hash } of events) {
    const added = leaves.get(tenant_id) ?? [];
    added.push({ eventId: id, hash });
    leaves.set(tenant_id, added);
  }
  await appendLeaves(tx, leaves);
  const reached = { ...state, xid: last.xid, event_id: last.id };
  await tx.query(`update audit_seal_state set xid = $1::xid8, event_id = $2, restored = $3`, [
    reached.xid,
    reached.event_id,
    reached.restored,
  ]);
  return { leads, ages: events.map(({ age }) => age), lagSeconds: await lagAfter(tx, reached) };
}

/**
 * Transaction numbers begin anew when a dump is loaded into another server: then what is sealed is told by the leaves
 * themselves, from there on.
 */
async function readState(tx: EntityManager): Promise<SealState> {
  const [row] = (await tx.query(
    `select xid::text as xid, event_id, restored, xid >= pg_snapshot_xmax(pg_current_snapshot()) as is_ahead
     from audit_seal_state`,
  )) as (SealState & { is_ahead: boolean })[];
  if (!row) throw new Error('audit_seal_state has no row');
  return row.is_ahead ? { xid: '0', event_id: FIRST_ID, restored: true } : row;
}

async function lagAfter(tx: EntityManager, { xid, event_id, restored }: SealState): Promise<number> {
  const [oldest] = (await tx.query(OLDEST_UNSEALED, [xid, event_id, restored])) as { age: number }[];
  return Math.max(0, oldest?.age ?? 0);
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const AFTER_STATE = `
  (xid, id) > ($1::xid8, $2::uuid)
  and (not $3::boolean or not exists (select from audit_leaf l where l.tenant_id = e.tenant_id and l.event_id = e.id))`;
const AGE = `extract(epoch from clock_timestamp() - occurred_at)::float8 as age`;
/** The server hashes (RFC 9162 section 2.1.1): a hash is an eighth of what an event would be to send. */
const UNSEALED = `
  select tenant_id, id, xid::text as xid, sha256('\\x00'::bytea || body) as hash, ${AGE}
  from audit_event e
  where ${AFTER_STATE} and xid < pg_snapshot_xmin(pg_current_snapshot())
  order by e.xid, e.id limit $4`;
const OLDEST_UNSEALED = `select ${AGE} from audit_event e where ${AFTER_STATE} order by e.xid, e.id limit 1`;
