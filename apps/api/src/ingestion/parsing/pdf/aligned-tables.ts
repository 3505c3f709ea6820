import type { Line } from './draft.js';
import type { Frame } from './frame.js';
import { union } from './geometry.js';
import type { FoundTable } from './ruled-tables.js';
import { columnsOf, gapsOf, isItem, markHeaders, type Range, rangesBetween } from './table-columns.js';
import { baselineOf, rowsOf } from './segments.js';
import type { SketchCell } from './table-sketch.js';
import { splitByText } from './text-rows.js';

/** Tables without borders in a single column of text: rows whose pieces stand below each other. */
export function findAlignedTables(lines: readonly Line[], frame: Frame): FoundTable[] {
  return runsOf(rowsOf(lines)).flatMap((run) => readRun(run, frame) ?? []);
}

/** Stretches of rows that are divided, with at most a few undivided ones between. */
function runsOf(rows: readonly Line[][]): Line[][][] {
  const runs: Line[][][] = [];
  let run: Line[][] = [];
  let undivided: Line[][] = [];
  const end = () => {
    if (run.filter((row) => row.length > 1).length >= MIN_ROWS) runs.push(run);
    run = [];
    undivided = [];
  };
  for (const row of rows) {
    const last = (undivided.at(-1) ?? run.at(-1))?.[0];
    const isFar = last !== undefined && baselineOf(row[0]!) - baselineOf(last) > MAX_STEP * last.size;
    if (isFar) end();
    if (row.length > 1) {
      run.push(...undivided, row);
      undivided = [];
    } else if (run.length > 0) {
      undivided.push(row);
      if (undivided.length > MAX_UNDIVIDED) end();
    }
  }
  end();
  return runs;
}

function readRun(run: Line[][], frame: Frame): FoundTable | undefined {
  const lines = run.flat();
  const rect = union(lines.map((line) => line.rect));
  const columns = rangesBetween(gapsOf(lines), rect);
  if (columns.length < 2 || !fits(run, columns)) return undefined;
  const rows = splitByText(lines, columns);
  if (rows.length < MIN_ROWS || isNoTable(rows)) return undefined;
  markHeaders(rows, frame);
  return { table: { kind: 'table-sketch', caption: null, rows }, rect, lines };
}

/** The pieces of nearly every row stand in columns of their own. */
function fits(run: Line[][], columns: readonly Range[]): boolean {
  const fitting = run.filter((row) => {
    const places = row.map((line) => columnsOf(line, columns).first);
    return new Set(places).size === places.length;
  });
  return fitting.length >= 0.8 * run.length;
}

/** Words scattered over a drawing leave most cells of the grid blank; lists side by side are no table either. */
function isNoTable(rows: SketchCell[][]): boolean {
  const cells = rows.flat();
  const filled = cells.filter((cell) => cell.paragraphs.length > 0);
  const items = filled.filter(isItem);
  const labels = rows.filter((row) => row[0]!.paragraphs.length > 0);
  return (
    items.length * 2 > filled.length ||
    filled.length < 0.6 * cells.length ||
    labels.length < 0.6 * rows.length
  );
}

const MIN_ROWS = 3;
const MAX_UNDIVIDED = 2;
/** Rows further apart than this many font sizes are not of one table. */
const MAX_STEP = 4;
