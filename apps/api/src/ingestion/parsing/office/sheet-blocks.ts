import type { Block } from '../extracted-document.js';
import { type GridCell, isAmount } from '../table-grid.js';
import { textCell, textTable } from '../text-table.js';

/** Cells that are one cell, by their rows and columns, both ends included. */
export interface Merge {
  firstRow: number;
  lastRow: number;
  first: number;
  last: number;
}

export interface Sheet {
  name: string;
  /** Texts as they are shown; empty where there is nothing. */
  rows: string[][];
  merges: readonly Merge[];
}

/**
 * The tables of a sheet and the lines around them. Empty rows part tables; lines of one cell over a table are its
 * caption, and below it remarks.
 */
export function sheetBlocks({ name, rows, merges }: Sheet): Block[] {
  return regionsOf(rows).flatMap((region) => {
    const filled = region.map((row) => rows[row]!.filter((text) => text !== ''));
    const isLine = (texts: string[]) => texts.length === 1;
    const start = filled.findIndex((texts) => !isLine(texts));
    const end = filled.findLastIndex((texts) => !isLine(texts)) + 1;
    const lines = filled.map((texts) => texts.join(' '));
    if (end - start < 2) return lines.map(paragraph);
    const caption = [name, ...lines.slice(0, start)].filter(Boolean).join(' – ');
    const table = tableOf(rows, region.slice(start, end), merges, caption);
    return table ? [table, ...lines.slice(end).map(paragraph)] : lines.map(paragraph);
  });
}

/** Numbers of rows that belong together. A header may stand apart from its table. */
function regionsOf(rows: readonly string[][]): number[][] {
  const regions: number[][] = [];
  rows.forEach((row, index) => {
    if (row.every((text) => text === '')) return;
    const last = regions.at(-1);
    const isNext = last !== undefined && last.at(-1) === index - 1;
    const isHeader = last?.length === 1 && last[0] === index - 2 && areNames(rows[last[0]]!, row);
    if (last && (isNext || isHeader)) last.push(index);
    else regions.push([index]);
  });
  return regions;
}

/** Whether a row has words, and more than one, just where the other has something. */
function areNames(row: readonly string[], other: readonly string[]): boolean {
  const filled = row.filter((text) => text !== '');
  const sameColumns = row.every((text, column) => (text === '') === (other[column] === ''));
  return filled.length > 1 && sameColumns && !filled.some(isAmount);
}

function tableOf(
  rows: readonly string[][],
  numbers: readonly number[],
  merges: readonly Merge[],
  caption: string,
): Block | undefined {
  const all = numbers.map((number) => rows[number]!);
  const width = all.reduce((most, row) => Math.max(most, row.findLastIndex((text) => text !== '') + 1), 0);
  const from = all.reduce(
    (least, row) =>
      Math.min(
        least,
        row.findIndex((text) => text !== ''),
      ),
    width,
  );
  const columnCount = width - from;
  if (columnCount < 2) return undefined;
  const body = all.map((row) => row.slice(from, width));
  const own = merges.map(({ first, last, ...rest }) => ({
    ...rest,
    first: first - from,
    last: Math.min(last - from, columnCount - 1),
  }));
  const headerRows = countHeaderRows(body, own, numbers[0]!);
  const byRow = mergesByRow(own, numbers[0]!, numbers.at(-1)!);
  const grid = body.map((row, index) => {
    const number = numbers[index]!;
    return gridRow(row, number, byRow.get(number) ?? [], index < headerRows);
  });
  return textTable(grid, columnCount, { caption: caption || null });
}

/** Each under all the rows of a table that it covers: sheets have thousands. */
function mergesByRow(merges: readonly Merge[], from: number, to: number): Map<number, Merge[]> {
  const byRow = new Map<number, Merge[]>();
  for (const merge of merges)
    for (let row = Math.max(from, merge.firstRow); row <= Math.min(to, merge.lastRow); row += 1)
      byRow.set(row, [...(byRow.get(row) ?? []), merge]);
  return byRow;
}

/** A merged cell stands once; what it covers to the right and below is no cell. */
function gridRow(
  texts: readonly string[],
  row: number,
  merges: readonly Merge[],
  header: boolean,
): GridCell<string>[] {
  const cells: GridCell<string>[] = [];
  for (let column = 0; column < texts.length; column += 1) {
    const merge = merges.find((m) => m.first <= column && column <= m.last);
    if (merge && merge.firstRow < row) continue;
    cells.push(textCell(texts[column]!, column, { last: merge?.last ?? column, header }));
    if (merge) column = merge.last;
  }
  return cells;
}

/**
 * Nothing in a sheet says which rows are headers. With three columns and more the first row is, when all of it are
 * words that differ; above it may stand a row whose cells span several columns. Two columns are mostly pairs.
 */
function countHeaderRows(body: readonly string[][], merges: readonly Merge[], from: number): number {
  const [first, second] = body as [string[], string[] | undefined];
  if (first.length < 3 || second === undefined) return 0;
  const areWords = (row: string[]) => row.every((text) => text !== '' && !isAmount(text));
  const spans = merges.some((merge) => merge.firstRow === from && merge.last > merge.first);
  if (spans && body.length > 2 && areWords(second.slice(1))) return 2;
  return areWords(first) && new Set(first).size === first.length ? 1 : 0;
}

const paragraph = (text: string): Block => ({ kind: 'paragraph', text, page: null, box: null });
