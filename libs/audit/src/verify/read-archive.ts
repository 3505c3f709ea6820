import type { Client } from 'pg';
import type { AuditColumns } from '../event/audit-body.js';
import { Frontier, HASH_BYTES } from '../merkle/index.js';
import { LOG, TILE_WIDTH } from '../sealing/index.js';
import { ARCHIVE_FORMAT, type ArchiveRecord, type TileRecord } from './archive.js';

/** Entries that are read at once: whole tiles. */
const BATCH = 8 * TILE_WIDTH;

/**
 * Reads the evidence of the whole log from the database as it is at one moment, as any role that may see it: the owner or
 * the application's. What is missing or wrong is read as it is; judging is for the verifier.
 */
export async function* readArchive(client: Client): AsyncGenerator<ArchiveRecord> {
  await client.query('begin isolation level repeatable read read only');
  try {
    yield* readArchiveWithin(client);
  } finally {
    await client.query('rollback');
  }
}

/** The same in a transaction that is open already. */
export async function* readArchiveWithin(client: Pick<Client, 'query'>): AsyncGenerator<ArchiveRecord> {
  // Row-level security holds for the owner too, unless it is a superuser.
  await client.query(`select set_config('app.scope', 'auditor', true)`);
  let records = 0;
  for await (const record of recordsOf(client)) {
    records += 1;
    yield record;
  }
  yield { type: 'end', records };
}

async function* recordsOf(client: Pick<Client, 'query'>): AsyncGenerator<ArchiveRecord> {
  yield { type: 'archive', format: ARCHIVE_FORMAT, at: new Date().toISOString() };
  const checkpoints = await client.query<{ no: string; note: string }>(
    'select no, note from audit_checkpoint order by no',
  );
  for (const { no, note } of checkpoints.rows) yield { type: 'checkpoint', no: Number(no), note };
  yield* headsOf(client);
  yield* tilesOf(client, LOG, 0);
  const trees = await client.query<{ tenant_id: string; size: string | null; frontier: Buffer | null }>(
    TREES,
    [LOG],
  );
  for (const { tenant_id, size, frontier } of trees.rows) {
    const root = rootOfFrontier(Number(size ?? 0), frontier ?? Buffer.alloc(0));
    yield { type: 'tree', tenant_id, size: Number(size ?? 0), root };
    yield* tilesOf(client, tenant_id, 1);
    yield* entriesOf(client, tenant_id);
  }
  yield* unsealed(client);
}

/** A frontier that was damaged has a root all the same: one that is not the tree's. */
function rootOfFrontier(size: number, bytes: Buffer): string {
  const whole = bytes.length % HASH_BYTES === 0 && (size === 0) === (bytes.length === 0);
  return whole ? Frontier.from(size, bytes).root().toString('base64') : '';
}

async function* headsOf(client: Pick<Client, 'query'>): AsyncGenerator<ArchiveRecord> {
  const { rows } = await client.query<Record<string, string | null>>(
    `select coalesce(h.log_index, l.leaf_index) as log_index, h.tenant_id, h.size, encode(h.root, 'base64') as root,
            encode(l.hash, 'base64') as hash
     from audit_head h
     full join (select * from audit_leaf where tenant_id = $1) l on l.leaf_index = h.log_index
     order by 1`,
    [LOG],
  );
  for (const { log_index, tenant_id, size, root, hash } of rows)
    yield {
      type: 'head',
      log_index: Number(log_index),
      tenant_id: tenant_id ?? null,
      size: size ? Number(size) : null,
      root: root ?? null,
      hash: hash ?? null,
    };
}

async function* tilesOf(
  client: Pick<Client, 'query'>,
  treeId: string,
  fromLevel: number,
): AsyncGenerator<TileRecord> {
  const { rows } = await client.query<{ level: number; tile_index: string; hashes: Buffer; root: Buffer }>(
    `select level, tile_index, hashes, root from audit_tile where tenant_id = $1 and level >= $2
     order by level, tile_index`,
    [treeId, fromLevel],
  );
  for (const row of rows) yield toTile(treeId, row);
}

async function* entriesOf(client: Pick<Client, 'query'>, treeId: string): AsyncGenerator<ArchiveRecord> {
  for (let first = 0; ;) {
    const tiles = await client.query<{ level: number; tile_index: string; hashes: Buffer; root: Buffer }>(
      `select level, tile_index, hashes, root from audit_tile
       where tenant_id = $1 and level = 0 and tile_index >= $2 and tile_index < $3 order by tile_index`,
      [treeId, Math.floor(first / TILE_WIDTH), Math.floor((first + BATCH) / TILE_WIDTH)],
    );
    for (const row of tiles.rows) yield toTile(treeId, row);
    const { rows } = await client.query<EntryRow>(ENTRIES, [treeId, first, first + BATCH]);
    for (const { leaf_index, event_id, hash, body, found, ...columns } of rows)
      yield {
        type: 'entry',
        tenant_id: treeId,
        leaf_index: Number(leaf_index),
        event_id,
        hash: hash.toString('base64'),
        body: body ? body.toString('utf8') : null,
        columns: found ? columns : null,
      };
    // Leaves far behind a gap are looked for as well.
    const next = await client.query<{ next: string | null }>(
      'select min(leaf_index) as next from audit_leaf where tenant_id = $1 and leaf_index >= $2',
      [treeId, first + BATCH],
    );
    if (next.rows[0]!.next === null) return;
    first = Math.floor(Number(next.rows[0]!.next) / BATCH) * BATCH;
  }
}

async function* unsealed(client: Pick<Client, 'query'>): AsyncGenerator<ArchiveRecord> {
  const { rows } = await client.query<{
    tenant_id: string;
    id: string;
    occurred_at: string;
    behind: boolean;
  }>(UNSEALED);
  for (const { id, ...row } of rows) yield { type: 'unsealed', event_id: id, ...row };
}

function toTile(
  treeId: string,
  row: { level: number; tile_index: string; hashes: Buffer; root: Buffer },
): TileRecord {
  return {
    type: 'tile',
    tenant_id: treeId,
    level: row.level,
    index: Number(row.tile_index),
    hashes: row.hashes.toString('base64'),
    root: row.root.toString('base64'),
  };
}

interface EntryRow extends AuditColumns {
  leaf_index: string;
  event_id: string;
  hash: Buffer;
  body: Buffer | null;
  found: boolean;
}

const MOMENT = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at`;
const TREES = `
  select coalesce(t.tenant_id, l.tenant_id) as tenant_id, t.size, t.frontier
  from (select * from audit_tree where tenant_id <> $1) t
  full join (select distinct tenant_id from audit_leaf where tenant_id <> $1) l on l.tenant_id = t.tenant_id
  order by 1`;
const ENTRIES = `
  select l.leaf_index, l.event_id, l.hash, e.body, e.id is not null as found, e.tenant_id, e.id, ${MOMENT('e.occurred_at')},
         e.action, e.category, e.actor_type, e.actor_id, e.actor_role, e.credential_id, e.targets, e.outcome, e.reason,
         e.request_id, e.route, e.context, e.detail
  from audit_leaf l left join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
  where l.tenant_id = $1 and l.leaf_index >= $2 and l.leaf_index < $3
  order by l.leaf_index`;
const UNSEALED = `
  select e.tenant_id, e.id, ${MOMENT('e.occurred_at')},
         not coalesce(s.restored, false) and (e.xid, e.id) <= (s.xid, s.event_id) as behind
  from audit_event e left join audit_seal_state s on true
  where not exists (select from audit_leaf l where l.tenant_id = e.tenant_id and l.event_id = e.id)
  order by e.xid, e.id limit 100000`;
