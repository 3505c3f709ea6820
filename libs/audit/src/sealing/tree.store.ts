import type { EntityManager } from 'typeorm';
import { Frontier, HASH_BYTES, rootOf, type SubtreeRoot } from '../merkle/index.js';

/** The tree of the heads of all trees stands under the highest id, which is no tenant's either. */
export const LOG = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Hashes in a tile, as in C2SP tlog-tiles. */
export const TILE_WIDTH = 256;
const TILE_LEVELS = Math.log2(TILE_WIDTH);

export interface NewLeaf {
  eventId: string;
  hash: Buffer;
}

interface Tile {
  treeId: string;
  index: number;
  hashes: Buffer;
  root: Buffer;
}

/**
 * Appends leaves to trees; only one transaction at a time may do so. Leaves and full tiles are written once and never
 * again; of what follows from them, only the frontier is kept.
 */
export async function appendLeaves(
  tx: EntityManager,
  leaves: ReadonlyMap<string, readonly NewLeaf[]>,
): Promise<Map<string, Frontier>> {
  const frontiers = await readFrontiers(tx, [...leaves.keys()]);
  const firstIndex = new Map([...frontiers].map(([treeId, { size }]) => [treeId, size]));
  const tails = await readTails(tx, leaves, firstIndex);
  const tiles: Tile[] = [];
  for (const [treeId, added] of leaves) {
    const frontier = frontiers.get(treeId)!;
    for (const { hash } of added) frontier.append(hash);
    const first = Math.floor(firstIndex.get(treeId)! / TILE_WIDTH);
    const hashes = [...(tails.get(treeId) ?? []), ...added.map(({ hash }) => hash)];
    for (let tile = 0; (tile + 1) * TILE_WIDTH <= hashes.length; tile++)
      tiles.push(tileOf(treeId, first + tile, hashes.slice(tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH)));
  }
  await insertLeaves(tx, leaves, firstIndex);
  await insertTiles(tx, tiles);
  await tx.query(
    `insert into audit_tree (tenant_id, size, frontier)
     select * from unnest($1::uuid[], $2::bigint[], $3::bytea[])
     on conflict (tenant_id) do update set size = excluded.size, frontier = excluded.frontier`,
    [
      [...frontiers.keys()],
      [...frontiers.values()].map(({ size }) => size),
      [...frontiers.values()].map((frontier) => frontier.toBytes()),
    ],
  );
  return frontiers;
}

/** Reads what proofs need, each tile once. A tile that is not full yet is put together from what is below it. */
export function subtreesOf(tx: EntityManager, treeId: string): SubtreeRoot {
  const known = new Map<string, Promise<Buffer>>();
  const tile = (level: number, index: number) => {
    const key = `${level}/${index}`;
    if (!known.has(key)) known.set(key, readTile(tx, treeId, level, index));
    return known.get(key)!;
  };
  return async (level, index) => {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    const count = 2 ** (level % TILE_LEVELS);
    const first = index * count;
    const hashes = await tile(tileLevel, Math.floor(first / TILE_WIDTH));
    return rootOf(hashesIn(hashes, first % TILE_WIDTH, count));
  };
}

async function readTile(tx: EntityManager, treeId: string, level: number, index: number): Promise<Buffer> {
  const [full] = (await tx.query(
    `select hashes from audit_tile where tenant_id = $1 and level = $2 and tile_index = $3`,
    [treeId, level, index],
  )) as { hashes: Buffer }[];
  if (full) return full.hashes;
  const first = index * TILE_WIDTH;
  const below = (
    level === 0
      ? await tx.query(
          `select hash from audit_leaf where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3
           order by leaf_index`,
          [treeId, first, first + TILE_WIDTH],
        )
      : await tx.query(
          `select root as hash from audit_tile
           where tenant_id = $1 and level = $2 and tile_index >= $3 and tile_index < $4 order by tile_index`,
          [treeId, level - 1, first, first + TILE_WIDTH],
        )
  ) as { hash: Buffer }[];
  return Buffer.concat(below.map(({ hash }) => hash));
}

function hashesIn(bytes: Buffer, first: number, count: number): Buffer[] {
  if (bytes.length < (first + count) * HASH_BYTES) throw new Error('The tree has fewer leaves than it says');
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray((first + i) * HASH_BYTES, (first + i + 1) * HASH_BYTES),
  );
}

function tileOf(treeId: string, index: number, hashes: readonly Buffer[]): Tile {
  return { treeId, index, hashes: Buffer.concat(hashes), root: rootOf(hashes) };
}

async function readFrontiers(tx: EntityManager, treeIds: string[]): Promise<Map<string, Frontier>> {
  const rows = (await tx.query(
    `select tenant_id, size, frontier from audit_tree where tenant_id = any($1::uuid[])`,
    [treeIds],
  )) as { tenant_id: string; size: string; frontier: Buffer }[];
  const found = new Map(rows.map((row) => [row.tenant_id, Frontier.from(Number(row.size), row.frontier)]));
  return new Map(treeIds.map((treeId) => [treeId, found.get(treeId) ?? Frontier.empty()]));
}

/** The leaves after the last full tile of those trees that are about to fill one. */
async function readTails(
  tx: EntityManager,
  leaves: ReadonlyMap<string, readonly NewLeaf[]>,
  firstIndex: ReadonlyMap<string, number>,
): Promise<Map<string, Buffer[]>> {
  const filling = [...leaves].filter(([treeId, added]) => {
    const tail = firstIndex.get(treeId)! % TILE_WIDTH;
    return tail > 0 && tail + added.length >= TILE_WIDTH;
  });
  if (filling.length === 0) return new Map();
  const rows = (await tx.query(
    `select l.tenant_id, l.hash
     from unnest($1::uuid[], $2::bigint[]) as t (tenant_id, first)
     join audit_leaf l on l.tenant_id = t.tenant_id and l.leaf_index >= t.first
     order by l.tenant_id, l.leaf_index`,
    [
      filling.map(([treeId]) => treeId),
      filling.map(([treeId]) => Math.floor(firstIndex.get(treeId)! / TILE_WIDTH) * TILE_WIDTH),
    ],
  )) as { tenant_id: string; hash: Buffer }[];
  const byTree = Map.groupBy(rows, ({ tenant_id }) => tenant_id);
  return new Map([...byTree].map(([treeId, tail]) => [treeId, tail.map(({ hash }) => hash)]));
}

async function insertLeaves(
  tx: EntityManager,
  leaves: ReadonlyMap<string, readonly NewLeaf[]>,
  firstIndex: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = [...leaves].flatMap(([treeId, added]) =>
    added.map((leaf, i) => ({ treeId, index: firstIndex.get(treeId)! + i, ...leaf })),
  );
  // The hashes in one piece: as an array each of them would have to be written out and read again.
  await tx.query(
    `insert into audit_leaf (tenant_id, leaf_index, event_id, hash)
     select tenant_id, leaf_index, event_id, substring($4::bytea from (${HASH_BYTES} * (n - 1) + 1)::int for ${HASH_BYTES})
     from unnest($1::uuid[], $2::bigint[], $3::uuid[]) with ordinality as leaf (tenant_id, leaf_index, event_id, n)`,
    [
      rows.map(({ treeId }) => treeId),
      rows.map(({ index }) => index),
      rows.map(({ eventId }) => eventId),
      Buffer.concat(rows.map(({ hash }) => hash)),
    ],
  );
}

/** The roots of 256 tiles are a tile of the level above. */
async function insertTiles(tx: EntityManager, lowest: readonly Tile[]): Promise<void> {
  let tiles = lowest;
  for (let level = 0; tiles.length > 0; level++) {
    await tx.query(
      `insert into audit_tile (tenant_id, level, tile_index, hashes, root)
       select tenant_id, $1, tile_index, hashes, root
       from unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[]) as tile (tenant_id, tile_index, hashes, root)`,
      [
        level,
        tiles.map(({ treeId }) => treeId),
        tiles.map(({ index }) => index),
        tiles.map(({ hashes }) => hashes),
        tiles.map(({ root }) => root),
      ],
    );
    const above: Tile[] = [];
    for (const { treeId, index } of tiles)
      if ((index + 1) % TILE_WIDTH === 0) {
        const parent = Math.floor(index / TILE_WIDTH);
        const hashes = await readTile(tx, treeId, level + 1, parent);
        above.push(tileOf(treeId, parent, hashesIn(hashes, 0, TILE_WIDTH)));
      }
    tiles = above;
  }
}
