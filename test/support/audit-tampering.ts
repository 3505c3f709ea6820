import { generateKeyPairSync } from 'node:crypto';
import { bodyOfColumns } from '../../libs/audit/src/event/audit-body.js';
import { HASH_BYTES, leafHash, rootOf } from '../../libs/audit/src/merkle/index.js';
import { checkpointText, openNote, parseCheckpoint, signNote } from '../../libs/audit/src/notes/index.js';
import { noteVerifier } from '../../libs/audit/src/notes/signed-note.js';
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

/** Changes the state in one of the ways below, at a random place. */
export function tamper(state: LogState, random: Random): Tampering {
  return TAMPERINGS[Math.floor(random() * TAMPERINGS.length)]!(state, random);
}

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)]!;
const base64 = (bytes: Buffer) => bytes.toString('base64');
const flipped = (text: string, random: Random) => {
  const bytes = Buffer.from(text, 'base64');
  bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
  return base64(bytes);
};
const place = ({ tree }: Tree, leafIndex: number) => ({ tenantId: tree.tenant_id, leafIndex });
/** A leaf that a head tells of: what came after the last checkpoint could as well have happened. */
const anyLeaf = (state: LogState, random: Random) => {
  const tree = pick(state.trees, random);
  return { tree, index: Math.floor(random() * tree.entries.length) };
};

/** As whoever knows how it works would: everything that follows from the leaves is made anew. */
function rebuild(tree: Tree): void {
  tree.entries.forEach((entry, i) => (entry.leaf_index = i));
  const hashes = tree.entries.map(({ hash }) => Buffer.from(hash, 'base64'));
  tree.tree.size = hashes.length;
  tree.tree.root = base64(rootOf(hashes));
  tree.tiles = tilesOver(tree.tree.tenant_id, hashes);
}

function tilesOver(tenant_id: string, hashes: Buffer[]): Of<'tile'>[] {
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
function rebuildLog(state: LogState, tree: Tree): void {
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

function forgeEvent(entry: Of<'entry'>, random: Random): void {
  const columns = { ...entry.columns!, action: `thing.forged-${Math.floor(random() * 1e9)}` };
  const body = bodyOfColumns(columns);
  Object.assign(entry, { columns, body, hash: base64(leafHash(Buffer.from(body))) });
}

/** The first head of a tree that tells of a leaf. */
const headOver = (state: LogState, tenantId: string, leafIndex: number) =>
  state.heads.find((head) => head.tenant_id === tenantId && head.size! > leafIndex)!.log_index;

const stranger = generateKeyPairSync('ed25519');

const TAMPERINGS: ((state: LogState, random: Random) => Tampering)[] = [
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    const entry = tree.entries[index]!;
    entry.body = entry.body!.replace('thing.change', 'thing.nothing');
    return { name: "edit an event's text", tells: ['body-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    const { hash } = tree.entries[index]!;
    forgeEvent(tree.entries[index]!, random);
    tree.entries[index]!.hash = hash;
    return { name: 'edit an event, text and columns', tells: ['body-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    const columns = tree.entries[index]!.columns!;
    const name = pick(
      ['action', 'occurred_at', 'outcome', 'actor_id', 'detail', 'targets', 'request_id'] as const,
      random,
    );
    Object.assign(columns, { [name]: `forged ${random()}` });
    return { name: `edit column ${name}`, tells: ['columns-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    Object.assign(tree.entries[index]!, { body: null, columns: null });
    return { name: 'delete an event', tells: ['event-deleted'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    tree.entries.splice(index, 1);
    return {
      name: 'delete an event and its leaf',
      tells: ['leaf-deleted', 'tree-truncated'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    tree.entries.splice(index, 1);
    rebuild(tree);
    const tells: FindingKind[] = ['tree-rewritten', 'tree-truncated'];
    return { name: 'delete an event with all that follows', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree } = anyLeaf(state, random);
    const eventId = `0198c0de-0000-7000-8000-${String(Math.floor(random() * 1e12)).padStart(12, '0')}`;
    const unsealed = { tenant_id: tree.tree.tenant_id, event_id: eventId, occurred_at: state.start.at };
    state.unsealed.push({ type: 'unsealed', ...unsealed, behind: true });
    return { name: 'insert an event', tells: ['event-inserted'], tenantId: tree.tree.tenant_id, eventId };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    const added = structuredClone(tree.entries[index]!);
    forgeEvent(added, random);
    tree.entries.splice(index, 0, added);
    rebuild(tree);
    return {
      name: 'insert an event with all that follows',
      tells: ['tree-rewritten'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const tree = pick(
      state.trees.filter(({ entries }) => entries.length > 1),
      random,
    );
    const index = Math.floor(random() * (tree.entries.length - 1));
    const [one, two] = [tree.entries[index]!, tree.entries[index + 1]!];
    [one.event_id, two.event_id] = [two.event_id, one.event_id];
    [one.body, two.body] = [two.body, one.body];
    [one.columns, two.columns] = [two.columns, one.columns];
    return { name: 'swap two events', tells: ['body-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const tree = pick(
      state.trees.filter(({ entries }) => entries.length > 1),
      random,
    );
    const [from] = tree.entries.splice(Math.floor(random() * tree.entries.length), 1);
    const old = from!.leaf_index;
    const at = (old + 1 + Math.floor(random() * tree.entries.length)) % (tree.entries.length + 1);
    tree.entries.splice(at, 0, from!);
    rebuild(tree);
    const leafIndex = Math.min(old, at);
    return {
      name: 'move an event with all that follows',
      tells: ['tree-rewritten'],
      ...place(tree, leafIndex),
    };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    tree.entries.splice(index);
    return {
      name: 'cut the end of a tree',
      tells: ['tree-truncated', 'tile-changed'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    tree.entries.splice(index);
    rebuild(tree);
    return {
      name: 'cut the end of a tree with all that follows',
      tells: ['tree-truncated'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    tree.entries[index]!.hash = flipped(tree.entries[index]!.hash, random);
    const tells: FindingKind[] = ['leaf-changed', 'body-changed'];
    return { name: 'change a leaf', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    forgeEvent(tree.entries[index]!, random);
    const tells: FindingKind[] = ['leaf-changed', 'tree-rewritten'];
    return { name: 'edit an event and its leaf', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    forgeEvent(tree.entries[index]!, random);
    rebuild(tree);
    return { name: 'edit an event with all that follows', tells: ['tree-rewritten'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    forgeEvent(tree.entries[index]!, random);
    rebuild(tree);
    const leafIndex = headOver(state, tree.tree.tenant_id, index);
    rebuildLog(state, tree);
    return {
      name: 'edit an event with all that follows, up to the log',
      tells: ['log-rewritten'],
      leafIndex,
    };
  },
  (state, random) => {
    const { tree, index } = anyLeaf(state, random);
    forgeEvent(tree.entries[index]!, random);
    rebuild(tree);
    rebuildLog(state, tree);
    forgeCheckpoints(state);
    return { name: 'edit an event up to checkpoints of another key', tells: ['checkpoint-forged'] };
  },
  (state, random) => {
    const leafIndex = Math.floor(random() * state.heads.length);
    const head = state.heads[leafIndex]!;
    if (random() < 0.5) head.size! += 1;
    else head.root = flipped(head.root!, random);
    return { name: 'change a head', tells: ['head-changed'], leafIndex };
  },
  (state, random) => {
    const leafIndex = Math.floor(random() * state.heads.length);
    state.heads.splice(leafIndex, 1);
    return { name: 'delete a head', tells: ['head-changed', 'log-rolled-back'], leafIndex };
  },
  (state, random) => {
    state.checkpoints.splice(Math.floor(random() * state.checkpoints.length), 1);
    return { name: 'delete a checkpoint', tells: ['checkpoint-deleted'] };
  },
  (state, random) => {
    const checkpoint = pick(state.checkpoints, random);
    const lines = checkpoint.note.split('\n');
    const line = Math.floor(random() * 4);
    lines[line] =
      line === 1
        ? String(Number(lines[1]) + 1)
        : lines[line]!.replace(/[0-9a-f]/, (digit) => (digit === '1' ? '2' : '1'));
    checkpoint.note = lines.join('\n');
    return { name: 'edit a checkpoint', tells: ['checkpoint-forged'] };
  },
  (state, random) => {
    const tree = pick(
      state.trees.filter(({ tiles }) => tiles.length > 0),
      random,
    );
    const tile = pick(tree.tiles, random);
    const at = Math.floor(random() * TILE_WIDTH);
    const bytes = Buffer.from(tile.hashes, 'base64');
    bytes[at * HASH_BYTES]! ^= 1;
    tile.hashes = base64(bytes);
    const tells: FindingKind[] = ['leaf-changed'];
    return { name: 'change a tile', tells, ...place(tree, tile.index * TILE_WIDTH + at) };
  },
  (state, random) => {
    const tree = pick(
      state.trees.filter(({ tiles }) => tiles.length > 0),
      random,
    );
    const [tile] = tree.tiles.splice(Math.floor(random() * tree.tiles.length), 1);
    return { name: 'delete a tile', tells: ['tile-changed'], ...place(tree, tile!.index * TILE_WIDTH) };
  },
  (state, random) => {
    const { tree } = pick(state.trees, random);
    if (random() < 0.5) tree.size -= 1;
    else tree.root = flipped(tree.root, random);
    return { name: 'change the end of a tree', tells: ['tree-changed'], tenantId: tree.tenant_id };
  },
  (state, random) => {
    const [gone] = state.trees.splice(Math.floor(random() * state.trees.length), 1);
    return { name: 'delete a whole tenant', tells: ['tree-truncated'], ...place(gone!, 0) };
  },
  (state, random) => {
    const kept = Math.floor(random() * (state.checkpoints.length - 1));
    rollBack(state, kept);
    return { name: 'roll back to an older checkpoint', tells: ['checkpoint-deleted', 'log-rolled-back'] };
  },
];

/** Everything signed anew by another key, under the same name. */
function forgeCheckpoints(state: LogState): void {
  const hashes = state.heads.map(({ hash }) => Buffer.from(hash!, 'base64'));
  for (const checkpoint of state.checkpoints) {
    const [origin, size, , time] = checkpoint.note.split('\n') as [string, string, string, string];
    const root = rootOf(hashes.slice(0, Number(size)));
    const text = checkpointText({ origin, size: Number(size), root, at: time.replace('time ', '') });
    const raw = Buffer.from(stranger.publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const signer = { ...noteVerifier(origin, raw), privateKey: stranger.privateKey };
    checkpoint.note = signNote(text, signer);
    parseCheckpoint(openNote(checkpoint.note, [signer]));
  }
}

/** As a backup of that moment, restored, would have it. */
function rollBack(state: LogState, kept: number): void {
  state.checkpoints.splice(kept);
  const size = kept === 0 ? 0 : Number(state.checkpoints[kept - 1]!.note.split('\n')[1]);
  state.heads.splice(size);
  state.logTiles = tilesOver(
    LOG,
    state.heads.map(({ hash }) => Buffer.from(hash!, 'base64')),
  );
  for (const tree of state.trees) {
    const head = state.heads.findLast(({ tenant_id }) => tenant_id === tree.tree.tenant_id);
    tree.entries.splice(head?.size ?? 0);
    rebuild(tree);
  }
  state.trees = state.trees.filter(({ entries }) => entries.length > 0);
}
