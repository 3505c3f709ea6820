import { emptyRoot, HASH_BYTES, nodeHash } from './hashes.js';

/**
 * All that is needed to go on appending to a tree: the roots of its perfect subtrees, the largest first, of which there is
 * one for each bit of its size. Transparency logs call it the compact range.
 */
export class Frontier {
  private constructor(
    private count: number,
    private readonly roots: Buffer[],
  ) {}

  static empty(): Frontier {
    return new Frontier(0, []);
  }

  /** @param bytes as `toBytes` gave them for a tree of that size */
  static from(size: number, bytes: Buffer): Frontier {
    const roots: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += HASH_BYTES) roots.push(bytes.subarray(at, at + HASH_BYTES));
    return new Frontier(size, roots);
  }

  get size(): number {
    return this.count;
  }

  append(leafHash: Buffer): void {
    let root = leafHash;
    // Like adding one to a binary number: each bit that is set is carried into the next.
    for (let rest = this.count; rest % 2 === 1; rest = (rest - 1) / 2)
      root = nodeHash(this.roots.pop()!, root);
    this.roots.push(root);
    this.count += 1;
  }

  root(): Buffer {
    if (this.count === 0) return emptyRoot();
    return this.roots.reduceRight((right, left) => nodeHash(left, right));
  }

  toBytes(): Buffer {
    return Buffer.concat(this.roots);
  }
}
