import {
  consistencyPath,
  emptyRoot,
  Frontier,
  inclusionPath,
  isConsistent,
  isIncluded,
  leafHash,
  rootOf,
} from './index.js';

/** The entries and roots of the test of Certificate Transparency's reference implementation. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
const subtreeOf = (hashes: Buffer[]) => (level: number, index: number) =>
  Promise.resolve(rootOf(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level)));

describe('a Merkle tree', () => {
  it('has the roots of the reference implementation of Certificate Transparency', () => {
    const hashes = ENTRIES.map((entry) => leafHash(Buffer.from(entry, 'hex')));
    const frontier = Frontier.empty();
    hashes.forEach((hash, i) => {
      frontier.append(hash);
      expect(frontier.root().toString('hex')).toBe(ROOTS[i]);
      expect(rootOf(hashes.slice(0, i + 1)).toString('hex')).toBe(ROOTS[i]);
    });
    expect(emptyRoot().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(Frontier.empty().root()).toEqual(emptyRoot());
  });

  it('goes on from what was kept of it', () => {
    const hashes = leaves(300);
    let frontier = Frontier.empty();
    for (const hash of hashes) {
      frontier = Frontier.from(frontier.size, frontier.toBytes());
      frontier.append(hash);
    }
    expect(frontier.root()).toEqual(rootOf(hashes));
  });

  it('proves each leaf of every size, and nothing else', async () => {
    for (let size = 1; size <= 40; size++) {
      const hashes = leaves(size);
      const root = rootOf(hashes);
      for (let index = 0; index < size; index++) {
        const path = await inclusionPath(index, size, subtreeOf(hashes));
        const holds = (
          change: { at?: number; of?: number; leaf?: Buffer; path?: Buffer[]; root?: Buffer } = {},
        ) =>
          isIncluded(
            change.leaf ?? hashes[index]!,
            { index: change.at ?? index, size: change.of ?? size },
            change.path ?? path,
            change.root ?? root,
          );
        expect(holds()).toBe(true);
        expect(holds({ leaf: leafHash(Buffer.from('another')) })).toBe(false);
        expect(holds({ root: leafHash(Buffer.from('another')) })).toBe(false);
        expect(holds({ path: [...path, root] })).toBe(false);
        if (path.length > 0) expect(holds({ path: path.slice(1) })).toBe(false);
        for (let other = -1; other <= size; other++)
          if (other !== index) expect(holds({ at: other })).toBe(false);
      }
    }
  });

  it('proves that each size grew from every smaller one, and nothing else', async () => {
    const hashes = leaves(40);
    const at = (size: number) => ({ size, root: rootOf(hashes.slice(0, size)) });
    for (let to = 1; to <= 40; to++)
      for (let from = 1; from <= to; from++) {
        const path = await consistencyPath(from, to, subtreeOf(hashes));
        expect(isConsistent(at(from), at(to), path)).toBe(true);
        const another = { ...at(from), root: leafHash(Buffer.from('another')) };
        expect(isConsistent(another, at(to), path)).toBe(false);
        expect(isConsistent(at(from), { ...at(to), root: another.root }, path)).toBe(false);
        expect(isConsistent(at(from), at(to), [...path, another.root])).toBe(false);
        path.forEach((_, i) => {
          expect(isConsistent(at(from), at(to), path.toSpliced(i, 1, another.root))).toBe(false);
        });
        if (from < to) expect(isConsistent(at(to), at(from), path)).toBe(false);
      }
  });

  it('has no proof of a leaf or a size that it does not have', async () => {
    await expect(inclusionPath(3, 3, subtreeOf(leaves(3)))).rejects.toThrow(RangeError);
    await expect(consistencyPath(0, 3, subtreeOf(leaves(3)))).rejects.toThrow(RangeError);
    await expect(consistencyPath(4, 3, subtreeOf(leaves(3)))).rejects.toThrow(RangeError);
  });
});
