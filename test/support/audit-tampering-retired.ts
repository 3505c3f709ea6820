import { bodyOfColumns } from '../../libs/audit/src/event/audit-body.js';
import { leafHash } from '../../libs/audit/src/merkle/index.js';
import type { FindingKind } from '../../libs/audit/src/verify/index.js';
import type { LogState, Of, Tree } from './audit-state.js';
import {
  base64,
  flipped,
  forgeEvent,
  pick,
  place,
  type Random,
  rebuild,
  type Tampering,
} from './audit-tampering-tools.js';

/** A tree whose beginning has left the log, how many events have, and the place of the event that tells of it. */
function retiredTree(state: LogState, random: Random): { tree: Tree; retired: number; tombstone: number } {
  const tree = pick(
    state.trees.filter(({ entries }) => entries[0]?.body === null),
    random,
  );
  const retired = tree.entries.findIndex(({ body }) => body !== null);
  const tombstone = tree.entries.findIndex(({ columns }) => columns?.action === 'audit.retention');
  return { tree, retired, tombstone };
}

const below = (count: number, random: Random) => Math.floor(random() * count);

function rewrite(entry: Of<'entry'>, detail: object): void {
  const columns = { ...entry.columns!, detail: { ...(entry.columns!.detail as object), ...detail } };
  const body = bodyOfColumns(columns);
  Object.assign(entry, { columns, body, hash: base64(leafHash(Buffer.from(body))) });
}

/** What can be done to a log from which events have left, and to what tells of them. */
export const RETIRED_TAMPERINGS: ((state: LogState, random: Random) => Tampering)[] = [
  (state, random) => {
    const { tree, retired } = retiredTree(state, random);
    const more = 1 + below(tree.entries.length - retired - 1, random);
    for (const entry of tree.entries.slice(retired, retired + more))
      Object.assign(entry, { body: null, columns: null });
    return {
      name: 'delete more than the tombstone tells of',
      tells: ['event-deleted'],
      ...place(tree, retired + more - 1),
    };
  },
  (state, random) => {
    const { tree, tombstone } = retiredTree(state, random);
    Object.assign(tree.entries[tombstone]!, { body: null, columns: null });
    return { name: 'delete a tombstone', tells: ['event-deleted'], ...place(tree, tombstone) };
  },
  (state, random) => {
    const { tree, tombstone } = retiredTree(state, random);
    const entry = tree.entries[tombstone]!;
    const { hash } = entry;
    rewrite(entry, { to: tombstone });
    entry.hash = hash;
    return { name: 'edit a tombstone', tells: ['body-changed'], ...place(tree, tombstone) };
  },
  (state, random) => {
    const { tree, retired, tombstone } = retiredTree(state, random);
    const { note } = tree.entries[tombstone]!.columns!.detail as { note: string };
    const raised = note.replace(`leaves ${retired}`, `leaves ${retired + 1}`);
    rewrite(tree.entries[tombstone]!, { note: raised, to: retired + 1 });
    Object.assign(tree.entries[retired]!, { body: null, columns: null });
    rebuild(tree);
    const tells: FindingKind[] = ['tombstone-forged', 'tree-rewritten'];
    return { name: 'raise a tombstone with all that follows', tells, ...place(tree, tombstone) };
  },
  (state, random) => {
    const { tree, retired } = retiredTree(state, random);
    const index = below(retired, random);
    tree.entries[index]!.hash = flipped(tree.entries[index]!.hash, random);
    const tells: FindingKind[] = ['leaf-changed', 'tree-rewritten'];
    return { name: 'change the leaf of a retired event', tells, ...place(tree, index) };
  },
  (state, random) => {
    const { tree, retired } = retiredTree(state, random);
    const index = below(retired, random);
    tree.entries[index]!.hash = flipped(tree.entries[index]!.hash, random);
    rebuild(tree);
    return {
      name: 'change the leaf of a retired event with all that follows',
      tells: ['tree-rewritten'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const { tree, retired } = retiredTree(state, random);
    const index = below(retired, random);
    const entry = tree.entries[index]!;
    const { hash } = entry;
    entry.columns = structuredClone(tree.entries[retired]!.columns);
    forgeEvent(entry, random);
    entry.hash = hash;
    return {
      name: 'put another event in the place of a retired one',
      tells: ['body-changed'],
      ...place(tree, index),
    };
  },
  (state, random) => {
    const { tree, retired } = retiredTree(state, random);
    const gone = 1 + below(retired, random);
    tree.entries.splice(0, gone);
    return { name: 'delete the leaves of retired events', tells: ['leaf-deleted'], ...place(tree, gone - 1) };
  },
];
