import type { Cell } from '../cell.js';
import { cacheCells } from './cache.js';
import { clockCells } from './clock.js';
import { embedderCells } from './embedder.js';
import { modelCells } from './model.js';
import { streamCells } from './model-stream.js';
import { networkCells } from './network.js';
import { lossCells } from './postgres.js';
import { refusalCells } from './postgres-refusing.js';
import { processCells } from './process.js';
import { tenantCells } from './tenant.js';

/** In the order of the fault matrix. */
export const cells: readonly Cell[] = [
  lossCells,
  refusalCells,
  cacheCells,
  modelCells,
  streamCells,
  embedderCells,
  clockCells,
  tenantCells,
  processCells,
  networkCells,
]
  .flat()
  .sort((a, b) => a.id.localeCompare(b.id));

/** The most telling ones, in a few minutes; those whose bounds a busy machine breaks by itself are not among them. */
export const CI_CELLS = ['F01', 'F03', 'F05', 'F13', 'F17', 'F19', 'F24', 'F28', 'F32', 'F35', 'F38', 'F54'];
