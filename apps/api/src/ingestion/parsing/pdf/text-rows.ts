import type { Line } from './draft.js';
import { baselineOf, rowsOf } from './segments.js';
import { cellsOfRow, columnsOf, type Range } from './table-columns.js';
import type { SketchCell } from './table-sketch.js';

/**
 * Rows of a table without borders between them. Where rows stand further apart than the lines of a cell, distance
 * tells; else a row begins wherever its first column has text that is not the rest of a label.
 * @param breaks heights at which a border is drawn: a row ends there in any case
 */
export function splitByText(
  lines: readonly Line[],
  columns: readonly Range[],
  breaks: readonly number[] = [],
): SketchCell[][] {
  const rows = rowsOf(lines);
  const steps = rows.map((row, i) =>
    i === 0 ? Infinity : baselineOf(row[0]!) - baselineOf(rows[i - 1]![0]!),
  );
  const isLabel = (line: Line) => columnsOf(line, columns).first === 0;
  const labelOf = (row: readonly Line[]) => row.find((line) => isLabel(line));
  const near = 1.12 * Math.min(...steps);
  // Lines that follow closely belong to the row above, unless they are rows with a label themselves.
  const close = rows.filter((_, i) => steps[i]! <= near);
  const isSpaced = close.filter((row) => row.length > 1 && labelOf(row)).length * 2 < close.length;
  const groups: Line[][] = [];
  rows.forEach((row, i) => {
    const above = groups.at(-1);
    const isBroken = i > 0 && breaks.some((y) => y > baselineOf(rows[i - 1]![0]!) && y < baselineOf(row[0]!));
    if (!above || isBroken || steps[i]! > FAR * near) groups.push([...row]);
    else if (
      isSpaced
        ? steps[i]! > near
        : beginsRow(
            row,
            labelOf(row),
            above.filter((line) => isLabel(line)),
          )
    )
      groups.push([...row]);
    else above.push(...row);
  });
  return groups.map((group) => cellsOfRow(group, columns));
}

function beginsRow(row: readonly Line[], label: Line | undefined, labelAbove: readonly Line[]): boolean {
  if (!label) return false;
  if (row.length > 1) return true;
  const isRest = /^[\p{Ll}(&]/u.test(label.text) || /[,(/&-]$/.test(labelAbove.at(-1)?.text ?? '');
  return !isRest;
}

/** Text this many times as far below as the closest is never of the same cell. */
const FAR = 1.8;
