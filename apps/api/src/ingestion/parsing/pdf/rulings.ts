import type { PDFPageProxy } from 'unpdf/pdfjs';
import type { Rect } from './geometry.js';
import { apply, type Matrix, multiply } from './matrix.js';

/** Straight lines and filled areas drawn on a page: borders and backgrounds of tables, mostly. */
export interface Rulings {
  /** Thin and wide, or thin and high. */
  lines: Rect[];
  /** Rectangles that are filled. */
  fills: Rect[];
  /** Where pictures are. */
  pictures: Rect[];
  /** How many shapes there are of any kind: letters that are drawn and not written are shapes, too. */
  shapes: number;
}

/** Numbers of pdf.js's drawing operators, from its `OPS`. */
export interface Operators {
  save: number;
  restore: number;
  transform: number;
  paintFormXObjectBegin: number;
  paintFormXObjectEnd: number;
  constructPath: number;
  fill: number;
  eoFill: number;
  stroke: number;
  closeStroke: number;
  fillStroke: number;
  eoFillStroke: number;
  closeFillStroke: number;
  closeEOFillStroke: number;
}

type OperatorList = Pick<Awaited<ReturnType<PDFPageProxy['getOperatorList']>>, 'fnArray' | 'argsArray'>;

/** @param base from the unrotated page to the upright one */
export function readRulings({ fnArray, argsArray }: OperatorList, ops: Operators, base: Matrix): Rulings {
  const rulings: Rulings = { lines: [], fills: [], pictures: [], shapes: 0 };
  const fills = new Set([ops.fill, ops.eoFill]);
  const strokes = new Set([ops.stroke, ops.closeStroke]);
  const both = new Set([ops.fillStroke, ops.eoFillStroke, ops.closeFillStroke, ops.closeEOFillStroke]);
  const stack: Matrix[] = [];
  let matrix = base;
  for (let i = 0; i < fnArray.length && count(rulings) < MAX_RULINGS; i += 1) {
    const operator = fnArray[i]!;
    const args = argsArray[i] as unknown[];
    if (operator === ops.save) stack.push(matrix);
    else if (operator === ops.restore || operator === ops.paintFormXObjectEnd) {
      // No picture is decoded, so it is not in the list; but nothing else is drawn in a place made for nothing.
      if (fnArray[i - 1] === ops.transform) rulings.pictures.push(unitSquare(matrix));
      matrix = stack.pop() ?? base;
    } else if (operator === ops.transform) matrix = multiply(matrix, args as unknown as Matrix);
    else if (operator === ops.paintFormXObjectBegin) {
      stack.push(matrix);
      if (args[0]) matrix = multiply(matrix, args[0] as Matrix);
    } else if (operator === ops.constructPath) {
      rulings.shapes += 1;
      const paint = args[0] as number;
      const path = (args[1] as (ArrayLike<number> | null)[])[0];
      if (!path || !(fills.has(paint) || strokes.has(paint) || both.has(paint))) continue;
      addPath(rulings, path, matrix, { filled: !strokes.has(paint), stroked: !fills.has(paint) });
    }
  }
  return rulings;
}

/** A picture fills the square of side 1 from the origin on. */
const unitSquare = (matrix: Matrix): Rect =>
  around([apply(matrix, 0, 0), apply(matrix, 1, 0), apply(matrix, 0, 1), apply(matrix, 1, 1)]);

const count = ({ lines, fills }: Rulings) => lines.length + fills.length;

interface Point {
  x: number;
  y: number;
}

function addPath(
  { lines, fills }: Rulings,
  path: ArrayLike<number>,
  matrix: Matrix,
  { filled, stroked }: { filled: boolean; stroked: boolean },
): void {
  for (const points of subpaths(path, matrix)) {
    const area = around(points);
    const isThin = Math.min(area.x1 - area.x0, area.y1 - area.y0) <= MAX_THICKNESS;
    if (filled && isThin) addLine(lines, area);
    else if (filled && isRectangle(points, area)) fills.push(area);
    if (stroked)
      for (let i = 1; i < points.length; i += 1) addLine(lines, around([points[i - 1]!, points[i]!]));
  }
}

/** Only upright lines of some length count: the rest is drawing. */
function addLine(lines: Rect[], rect: Rect): void {
  const width = rect.x1 - rect.x0;
  const height = rect.y1 - rect.y0;
  if (Math.min(width, height) <= MAX_THICKNESS && Math.max(width, height) >= MIN_LENGTH) lines.push(rect);
}

/** Points of each subpath that consists of straight lines. Path data: 0 x y, 1 x y, 2 curve, 3 curve, 4 close. */
function subpaths(path: ArrayLike<number>, matrix: Matrix): Point[][] {
  const all: Point[][] = [];
  let current: Point[] = [];
  for (let i = 0; i < path.length;) {
    const kind = path[i]!;
    const length = PATH_ARGUMENTS[kind];
    if (length === undefined) return all;
    if (kind === 0) all.push((current = []));
    if (kind === 0 || kind === 1) current.push(apply(matrix, path[i + 1]!, path[i + 2]!));
    else if (kind === 4 && current[0]) current.push(current[0]);
    else {
      all.pop();
      current = [];
    }
    i += 1 + length;
  }
  return all.filter((points) => points.length > 1);
}

const PATH_ARGUMENTS: Readonly<Record<number, number>> = { 0: 2, 1: 2, 2: 6, 3: 4, 4: 0 };

function around(points: readonly Point[]): Rect {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

const isRectangle = (points: readonly Point[], area: Rect) =>
  points.every(
    ({ x, y }) =>
      Math.min(Math.abs(x - area.x0), Math.abs(x - area.x1)) < 0.5 &&
      Math.min(Math.abs(y - area.y0), Math.abs(y - area.y1)) < 0.5,
  );

/** In points. */
const MAX_THICKNESS = 3;
const MIN_LENGTH = 8;
/** Drawings of maps and plots have more, and no tables. */
const MAX_RULINGS = 5_000;
