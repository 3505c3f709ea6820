import { Frontier, HASH_BYTES, rootOf } from '../merkle/index.js';
import { TILE_WIDTH } from '../sealing/index.js';
import type { TileRecord } from './archive.js';
import type { Finding } from './finding.js';

/** What the root of a tree of this size has to be. */
export interface ExpectedRoot {
  size: number;
  root: Buffer;
}

interface Tile {
  level: number;
  index: number;
  hashes: Buffer;
  root: Buffer;
}

interface Names {
  rewritten: Finding['kind'];
  truncated: Finding['kind'];
  tenantId?: string;
}

/** Puts a tree together again from its leaves, and compares it with what is known of it. */
export class TreeCheck {
  readonly frontier = Frontier.empty();
  private readonly tiles = new Map<string, Tile>();
  private readonly expected: ExpectedRoot[];
  /** Roots of the full tiles of each level, as far as they are not yet a tile of the level above. */
  private readonly rows: Buffer[][] = [[]];
  private readonly made: number[] = [];
  private isExplained = false;
  private provenSize = 0;

  constructor(
    expected: readonly ExpectedRoot[],
    private readonly names: Names,
    private readonly report: (finding: Finding) => void,
  ) {
    this.expected = expected.toSorted((a, b) => a.size - b.size);
    this.compareRoots();
  }

  addTile(tile: TileRecord): void {
    const [hashes, root] = [Buffer.from(tile.hashes, 'base64'), Buffer.from(tile.root, 'base64')];
    this.tiles.set(`${tile.level}/${tile.index}`, { level: tile.level, index: tile.index, hashes, root });
  }

  /** What the tile of the lowest level says about a leaf, if it is full. */
  tileHash(index: number): Buffer | undefined {
    const tile = this.tiles.get(`0/${Math.floor(index / TILE_WIDTH)}`);
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    return tile?.hashes.subarray(at, at + HASH_BYTES);
  }

  get explained(): boolean {
    return this.isExplained;
  }

  /** Something was found that explains why later roots may differ. */
  explain(): void {
    this.isExplained = true;
  }

  addLeaf(hash: Buffer): void {
    this.frontier.append(hash);
    this.addToRow(0, hash);
    this.compareRoots();
  }

  /** No leaf comes any more. */
  finish(): void {
    const size = this.frontier.size;
    const missing = this.expected.find((each) => each.size > size);
    if (missing && !this.isExplained) {
      const detail = `it has ${size} leaves, and had ${missing.size}`;
      // What is missing need not be the end: all after the last root that fits may have moved up.
      const place = { leaf_index: this.provenSize, before: this.expected.at(-1)!.size };
      this.found({ kind: this.names.truncated, detail, ...place });
    }
    for (const { level, index } of this.tiles.values())
      if (!this.isExplained)
        this.found({
          kind: 'tile-changed',
          detail: `tile ${level}/${index} has no leaves`,
          leaf_index: size,
        });
  }

  private addToRow(level: number, hash: Buffer): void {
    const row = (this.rows[level] ??= []);
    row.push(hash);
    if (row.length < TILE_WIDTH) return;
    const index = this.made[level] ?? 0;
    this.made[level] = index + 1;
    this.rows[level] = [];
    const root = rootOf(row);
    this.compareTile(level, index, row, root);
    this.addToRow(level + 1, root);
  }

  private compareTile(level: number, index: number, row: readonly Buffer[], root: Buffer): void {
    const key = `${level}/${index}`;
    const tile = this.tiles.get(key);
    this.tiles.delete(key);
    if (this.isExplained) return;
    const place = { leaf_index: index * TILE_WIDTH ** (level + 1), before: this.frontier.size };
    if (!tile) this.found({ kind: 'tile-changed', detail: `tile ${key} is missing`, ...place });
    else if (!tile.hashes.equals(Buffer.concat(row)) || !tile.root.equals(root))
      this.found({ kind: 'tile-changed', detail: `tile ${key} does not follow from the leaves`, ...place });
  }

  private compareRoots(): void {
    const { size } = this.frontier;
    for (; this.expected[0]?.size === size; this.expected.shift()) {
      if (this.isExplained) continue;
      if (this.frontier.root().equals(this.expected[0].root)) this.provenSize = size;
      else {
        const detail = 'its root is not what it was, although what is stored of it fits together';
        this.found({ kind: this.names.rewritten, detail, leaf_index: this.provenSize, before: size });
      }
    }
  }

  private found(finding: Finding): void {
    this.report({ ...finding, ...(this.names.tenantId && { tenant_id: this.names.tenantId }) });
    this.explain();
  }
}
