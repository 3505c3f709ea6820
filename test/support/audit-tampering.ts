import { generateKeyPairSync } from 'node:crypto';
import { HASH_BYTES, rootOf } from '../../libs/audit/src/merkle/index.js';
import { checkpointText, openNote, parseCheckpoint, signNote } from '../../libs/audit/src/notes/index.js';
import { noteVerifier } from '../../libs/audit/src/notes/signed-note.js';
import { LOG, TILE_WIDTH } from '../../libs/audit/src/sealing/index.js';
import type { FindingKind } from '../../libs/audit/src/verify/index.js';
import type { LogState } from './audit-state.js';
import { RETIRED_TAMPERINGS } from './audit-tampering-retired.js';
import {
  anyEvent,
  anyLeaf,
  base64,
  flipped,
  forgeEvent,
  headOver,
  pick,
  place,
  type Random,
  rebuild,
  rebuildLog,
  type Tampering,
  tilesOver,
} from './audit-tampering-tools.js';

/** Changes the state in one of the ways below, at a random place. */
export function tamper(state: LogState, random: Random): Tampering {
  return TAMPERINGS[Math.floor(random() * TAMPERINGS.length)]!(state, random);
}

const stranger = generateKeyPairSync('ed25519');

const TAMPERINGS: ((state: LogState, random: Random) => Tampering)[] = [
  ...RETIRED_TAMPERINGS,
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
    const entry = tree.entries[index]!;
    entry.body = entry.body!.replace('"outcome":"success"', '"outcome":"failure"');
    return { name: "edit an event's text", tells: ['body-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
    const { hash } = tree.entries[index]!;
    forgeEvent(tree.entries[index]!, random);
    tree.entries[index]!.hash = hash;
    return { name: 'edit an event, text and columns', tells: ['body-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
    const columns = tree.entries[index]!.columns!;
    const name = pick(
      ['action', 'occurred_at', 'outcome', 'actor_id', 'detail', 'targets', 'request_id'] as const,
      random,
    );
    Object.assign(columns, { [name]: `forged ${random()}` });
    return { name: `edit column ${name}`, tells: ['columns-changed'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
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
    const { tree, index } = anyEvent(state, random);
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
    const first = tree.entries.findIndex(({ body }) => body !== null);
    const index = first + Math.floor(random() * (tree.entries.length - 1 - first));
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
    const retired = tree.entries.findIndex(({ body }) => body !== null);
    // The tombstone stays: without it, the log would first of all lack the events that it tells of.
    const first = retired > 0 ? retired + 1 : 0;
    const among = tree.entries.length - first;
    const [from] = tree.entries.splice(first + Math.floor(random() * among), 1);
    const old = from!.leaf_index;
    const at = first + ((old - first + 1 + Math.floor(random() * (among - 1))) % among);
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
    const { tree, index } = anyEvent(state, random);
    tree.entries[index]!.hash = flipped(tree.entries[index]!.hash, random);
    const tells: FindingKind[] = ['leaf-changed', 'body-changed'];
    return { name: 'change a leaf', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
    forgeEvent(tree.entries[index]!, random);
    const tells: FindingKind[] = ['leaf-changed', 'tree-rewritten'];
    return { name: 'edit an event and its leaf', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
    forgeEvent(tree.entries[index]!, random);
    rebuild(tree);
    return { name: 'edit an event with all that follows', tells: ['tree-rewritten'], ...place(tree, index) };
  },
  (state, random) => {
    const { tree, index } = anyEvent(state, random);
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
    const { tree, index } = anyEvent(state, random);
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
