import type { Box } from '../../rag/index.js';
import type { Block } from '../parsing/extracted-document.js';
import type { PlacedText } from './ocr-engine.js';

/** Where a box of the page that was turned upright stands on the page as it is; both in shares of the page. */
export function boxBeforeTurning({ x, y, width, height }: Box, page: PlacedText): Box {
  const corners = [
    [x, y],
    [x + width, y],
    [x, y + height],
    [x + width, y + height],
  ].map(([cornerX, cornerY]) => pointBeforeTurning(cornerX!, cornerY!, page));
  const xs = corners.map(([cornerX]) => clamp(cornerX));
  const ys = corners.map(([, cornerY]) => clamp(cornerY));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return {
    x: round(left),
    y: round(top),
    width: round(Math.max(...xs) - left),
    height: round(Math.max(...ys) - top),
  };
}

function pointBeforeTurning(x: number, y: number, page: PlacedText): [number, number] {
  const { turn, skew, width, height } = page;
  // Turns keep lengths in pixels, not in shares.
  const [dx, dy] = [(x - 0.5) * width, (y - 0.5) * height];
  const [cos, sin] = [Math.cos(skew), Math.sin(skew)];
  const skewedX = (dx * cos - dy * sin) / width + 0.5;
  const skewedY = (dx * sin + dy * cos) / height + 0.5;
  const turned: [number, number][] = [
    [skewedX, skewedY],
    [1 - skewedY, skewedX],
    [1 - skewedX, 1 - skewedY],
    [skewedY, 1 - skewedX],
  ];
  return turned[turn]!;
}

/** The block with other boxes. */
export function mapBoxes(block: Block, map: (box: Box, page: number) => Box): Block {
  const place = <T extends { page: number | null; box: Box | null }>(item: T): T =>
    item.box && item.page !== null ? { ...item, box: map(item.box, item.page) } : item;
  if (block.kind !== 'table') {
    const lines = block.lines?.map((line) => ({ ...line, box: map(line.box, line.page) }));
    return { ...place(block), ...(lines && { lines }) };
  }
  const rows = block.rows.map((row) => ({
    ...place(row),
    cells: row.cells.map((cell) => ({
      ...cell,
      box: cell.box && row.page !== null ? map(cell.box, row.page) : cell.box,
    })),
  }));
  return { ...place(block), rows };
}

const clamp = (share: number) => Math.min(1, Math.max(0, share));
const round = (share: number) => Math.round(share * 10_000) / 10_000;
