import type { Cell } from '../cell.js';
import type { Evidence } from '../evidence.js';
import type { World } from '../harness/world.js';
import type { History } from '../load/history.js';

export interface CheckedCell {
  cell: Cell;
  world: World;
  history: History;
  evidence: Evidence;
  /** What the program wrote while the cell lasted. */
  log: string;
}

/** Looks at what is left after a cell, and names what is wrong. */
export type Check = (checked: CheckedCell) => Promise<string[]>;
