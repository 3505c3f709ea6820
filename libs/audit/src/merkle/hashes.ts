import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** RFC 9162 section 2.1.1: SHA-256 of 0x00 and the entry. */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(LEAF, entry);
}

/** RFC 9162 section 2.1.1: SHA-256 of 0x01 and both children. Another prefix than a leaf's, so neither passes for the other. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(NODE, left, right);
}

/** Of a tree without entries: the hash of nothing. */
export function emptyRoot(): Buffer {
  return sha256();
}

function sha256(...parts: Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** The largest power of two that is smaller than `size`, which is at least 2: where RFC 9162 splits a tree. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Of all leaves, as RFC 9162 defines it. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return emptyRoot();
  let row = [...hashes];
  // Pairing from the left and carrying an odd one up gives the tree of the definition, without its recursion.
  while (row.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at < row.length; at += 2)
      above.push(at + 1 < row.length ? nodeHash(row[at]!, row[at + 1]!) : row[at]!);
    row = above;
  }
  return row[0]!;
}
