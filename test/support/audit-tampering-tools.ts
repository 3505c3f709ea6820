import { bodyOfColumns } from '../../libs/audit/src/event/audit-body.js';
import { leafHash, rootOf } from '../../libs/audit/src/merkle/index.js';
import { headBody, LOG, TILE_WIDTH } from '../../libs/audit/src/sealing/index.js';
import type { FindingKind } from '../../libs/audit/src/verify/index.js';
import type { LogState, Of, Tree } from './audit-state.js';

/** What was done, and which findings tell of it at which place. */
export interface Tampering {
  name: string;
  tells: FindingKind[];
  /** In a tenant's tree; undefined where it is the log that was changed. */
  tenantId?: string;
  /** The place that a finding has to name, alone or in its range. */
  leafIndex?: number;
  /** The event, where it has no place. */
  eventId?: string;
}

export type Random = () => number;

export const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)]!;
export const base64 = (bytes: Buffer) => bytes.toString('base64');
export const flipped = (text: string, random: Random) => {
  const bytes = Buffer.from(text, 'base64');
  bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
  return base64(bytes);
};
export const place = ({ tree }: Tree, leafIndex: number) => ({ tenantId: tree.tenant_id, leafIndex });
/** A leaf that a head tells of: what came after the last checkpoint could as well have happened. */
export const anyLeaf = (state: LogState, random: Random) => {
  const tree = pick(state.trees, random);
  return { tree, index: Math.floor(random() * tree.entries.length) };
};

/** One whose event has not left the log by its retention. */
export const anyEvent = (state: LogState, random: Random) => {
  const tree = pick(state.trees, random);
  const present = tree.entries.flatMap(({ body }, index) => (body === null ? [] : [index]));
  return { tree, index: pick(present, random) };
};

/** As whoever knows how it works would: everything that follows from the leaves is made anew. */
export function rebuild(tree: Tree): void {
  tree.entries.forEach((entry, i) => (entry.leaf_index = i));
  const hashes = tree.entries.map(({ hash }) => Buffer.from(hash, 'base64'));
  tree.tree.size = hashes.length;
  tree.tree.root = base64(rootOf(hashes));
  tree.tiles = tilesOver(tree.tree.tenant_id, hashes);
}

export function tilesOver(tenant_id: string, hashes: Buffer[]): Of<'tile'>[] {
  return Array.from({ length: Math.floor(hashes.length / TILE_WIDTH) }, (_, index) => {
    const row = hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
    return {
      type: 'tile',
      tenant_id,
      level: 0,
      index,
      hashes: base64(Buffer.concat(row)),
      root: base64(rootOf(row)),
    };
  });
}

/** The same for the heads of a tree, and for the log over them. */
export function rebuildLog(state: LogState, tree: Tree): void {
  const hashes = tree.entries.map(({ hash }) => Buffer.from(hash, 'base64'));
  for (const head of state.heads)
    if (head.tenant_id === tree.tree.tenant_id) {
      const size = Math.min(head.size!, hashes.length);
      const root = rootOf(hashes.slice(0, size));
      const body = headBody({ tenantId: head.tenant_id, size, root });
      Object.assign(head, { size, root: base64(root), hash: base64(leafHash(Buffer.from(body))) });
    }
  state.logTiles = tilesOver(
    LOG,
    state.heads.map(({ hash }) => Buffer.from(hash!, 'base64')),
  );
}

export function forgeEvent(entry: Of<'entry'>, random: Random): void {
  const columns = { ...entry.columns!, action: `thing.forged-${Math.floor(random() * 1e9)}` };
  const body = bodyOfColumns(columns);
  Object.assign(entry, { columns, body, hash: base64(leafHash(Buffer.from(body))) });
}

/** The first head of a tree that tells of a leaf. */
export const headOver = (state: LogState, tenantId: string, leafIndex: number) =>
  state.heads.find((head) => head.tenant_id === tenantId && head.size! > leafIndex)!.log_index;
