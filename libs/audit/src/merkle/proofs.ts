import { nodeHash, splitOf } from './hashes.js';

/** Gives the root of the perfect subtree of 2^level leaves that begins at leaf `index` × 2^level. */
export type SubtreeRoot = (level: number, index: number) => Promise<Buffer>;

/** Hashes that lead from the leaf `index` of a tree of `size` leaves to its root: RFC 9162 section 2.1.3.1. */
export async function inclusionPath(index: number, size: number, subtree: SubtreeRoot): Promise<Buffer[]> {
  if (index < 0 || index >= size) throw new RangeError(`A tree of ${size} leaves has no leaf ${index}`);
  const path: Buffer[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + splitOf(end - begin);
    const isLeft = index < middle;
    path.unshift(await (isLeft ? rangeRoot(middle, end, subtree) : rangeRoot(begin, middle, subtree)));
    if (isLeft) end = middle;
    else begin = middle;
  }
  return path;
}

/** Hashes that show that the tree of `from` leaves is the beginning of that of `to` leaves: RFC 9162 section 2.1.4.1. */
export async function consistencyPath(from: number, to: number, subtree: SubtreeRoot): Promise<Buffer[]> {
  if (from < 1 || from > to) throw new RangeError(`No tree of ${from} leaves grows into one of ${to}`);
  if (from === to) return [];
  const path: Buffer[] = [];
  let [begin, end, whole] = [0, to, true];
  while (from !== end) {
    const middle = begin + splitOf(end - begin);
    if (from <= middle) {
      path.unshift(await rangeRoot(middle, end, subtree));
      end = middle;
    } else {
      path.unshift(await rangeRoot(begin, middle, subtree));
      begin = middle;
      whole = false;
    }
  }
  // The older tree as a whole is known to whoever asks.
  return whole ? path : [await rangeRoot(begin, end, subtree), ...path];
}

/** Whether the path leads from the leaf to the root: RFC 9162 section 2.1.3.2. */
export function isIncluded(
  leafHash: Buffer,
  { index, size }: { index: number; size: number },
  path: readonly Buffer[],
  root: Buffer,
): boolean {
  if (index < 0 || index >= size) return false;
  let [node, last, hash] = [index, size - 1, leafHash];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else hash = nodeHash(hash, sibling);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** Whether the path shows that the tree with the first root is the beginning of that with the second: section 2.1.4.2. */
export function isConsistent(
  older: { size: number; root: Buffer },
  newer: { size: number; root: Buffer },
  path: readonly Buffer[],
): boolean {
  if (older.size > newer.size || older.size < 1) return false;
  if (older.size === newer.size) return path.length === 0 && older.root.equals(newer.root);
  const isPowerOfTwo = Number.isInteger(Math.log2(older.size));
  const [first, ...others] = isPowerOfTwo ? [older.root, ...path] : path;
  if (!first) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [oldHash, newHash] = [first, first];
  for (const hash of others) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [oldHash, newHash] = [nodeHash(hash, oldHash), nodeHash(hash, newHash)];
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else newHash = nodeHash(newHash, hash);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && oldHash.equals(older.root) && newHash.equals(newer.root);
}

/** The root over the leaves from `begin` to before `end`, where `begin` is a multiple of the size of its largest subtree. */
async function rangeRoot(begin: number, end: number, subtree: SubtreeRoot): Promise<Buffer> {
  const level = Math.log2(end - begin);
  if (Number.isInteger(level)) return subtree(level, begin / (end - begin));
  const middle = begin + splitOf(end - begin);
  return nodeHash(await rangeRoot(begin, middle, subtree), await rangeRoot(middle, end, subtree));
}

const half = (value: number) => Math.floor(value / 2);
