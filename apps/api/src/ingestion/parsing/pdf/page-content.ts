import type { PDFPageProxy } from 'unpdf/pdfjs';
import type { Box } from '../../../rag/index.js';
import { visibleText } from '../clean-text.js';
import type { Rect } from './geometry.js';

/** A run of text in one font on one baseline, as pdf.js gives it, placed in an upright frame. */
export interface Span {
  text: string;
  rect: Rect;
  baseline: number;
  /** Font size in points. */
  size: number;
  bold: boolean;
  /** Id of the marked content that the structure tree refers to. */
  contentId: string | null;
  /** Marked by the author as page furniture rather than content. */
  artifact: boolean;
  /** White space stood before it in the content stream. */
  spaceBefore: boolean;
  frame: Frame;
}

/** The text of a page that reads in one direction, in coordinates in which it reads from left to right. */
export interface Frame {
  page: number;
  turn: Turn;
  width: number;
  height: number;
  spans: Span[];
}

/** Clockwise quarter turns of the text against the upright page. */
export type Turn = 0 | 1 | 2 | 3;

export interface StructNode {
  role?: string;
  children?: StructNode[];
  /** Only of leaves: `content` refers to spans by id. */
  type?: string;
  id?: string;
  alt?: string;
}

export interface PageContent {
  number: number;
  /** The direction with most text first. */
  frames: Frame[];
  tree: StructNode | null;
}

type Matrix = readonly [number, number, number, number, number, number];

/** Reads text, fonts and structure tree of a page. */
export async function readPage(page: PDFPageProxy, number: number): Promise<PageContent> {
  const viewport = page.getViewport({ scale: 1 });
  const content = await page.getTextContent({ includeMarkedContent: true });
  const bold = await boldFonts(page, Object.keys(content.styles));
  const frames = new Map<Turn, Frame>();
  const marked: { id: string | null; artifact: boolean }[] = [];
  let spaceBefore = false;

  for (const item of content.items) {
    if ('type' in item) {
      if (item.type === 'endMarkedContent') marked.pop();
      else marked.push(markOf(item as { tag?: string; id?: string }, marked.at(-1)));
      continue;
    }
    const text = visibleText(item.str);
    if (text.trim() === '') {
      spaceBefore = true;
      continue;
    }
    const placed = place(item.transform as number[], item.width, viewport);
    const frame = frames.get(placed.turn) ?? newFrame(number, placed.turn, viewport);
    frames.set(placed.turn, frame);
    frame.spans.push({
      text,
      ...placed.text,
      bold: bold.has(item.fontName),
      contentId: marked.at(-1)?.id ?? null,
      artifact: marked.at(-1)?.artifact ?? false,
      spaceBefore,
      frame,
    });
    spaceBefore = item.hasEOL;
  }
  const tree = (await page.getStructTree()) as StructNode | null;
  return { number, frames: [...frames.values()].sort((a, b) => amount(b) - amount(a)), tree };
}

/** Where a rectangle of a frame stands on the page, in shares of the page's width and height. */
export function boxOf(rect: Rect, { turn, width, height }: Frame): Box {
  const { x0, y0, x1, y1 } = rect;
  const share = { x: x0 / width, y: y0 / height, width: (x1 - x0) / width, height: (y1 - y0) / height };
  const turned: Box[] = [
    share,
    { x: 1 - share.y - share.height, y: share.x, width: share.height, height: share.width },
    { x: 1 - share.x - share.width, y: 1 - share.y - share.height, width: share.width, height: share.height },
    { x: share.y, y: 1 - share.x - share.width, width: share.height, height: share.width },
  ];
  return inside(turned[turn]!);
}

const amount = (frame: Frame) => frame.spans.reduce((sum, span) => sum + span.text.length, 0);

function newFrame(page: number, turn: Turn, viewport: { width: number; height: number }): Frame {
  const sideways = turn % 2 === 1;
  return {
    page,
    turn,
    width: sideways ? viewport.height : viewport.width,
    height: sideways ? viewport.width : viewport.height,
    spans: [],
  };
}

function markOf(item: { tag?: string; id?: string }, outer?: { id: string | null; artifact: boolean }) {
  return {
    id: item.id ?? outer?.id ?? null,
    artifact: (outer?.artifact ?? false) || item.tag === 'Artifact',
  };
}

/** Direction and place of a text item: pdf.js gives the matrix from text space to the unrotated page. */
function place(
  transform: number[],
  itemWidth: number,
  viewport: { transform: number[]; width: number; height: number },
) {
  const [a, b, c, d, x, y] = multiply(
    viewport.transform as unknown as Matrix,
    transform as unknown as Matrix,
  );
  const turn = (((Math.round(Math.atan2(b, a) / (Math.PI / 2)) % 4) + 4) % 4) as Turn;
  const size = Math.hypot(c, d) || Math.hypot(a, b);
  const { width, height } = viewport;
  const [left, baseline] = (
    [
      [x, y],
      [y, width - x],
      [width - x, height - y],
      [height - y, x],
    ] as const
  )[turn];
  const rect = {
    x0: left,
    y0: baseline - ASCENT * size,
    x1: left + itemWidth,
    y1: baseline + DESCENT * size,
  };
  return { turn, text: { rect, baseline, size } };
}

/** Fonts state their own ascent and descent, often wrongly; these shares of the size fit nearly all of them. */
const ASCENT = 0.78;
const DESCENT = 0.22;

function multiply(m: Matrix, n: Matrix): Matrix {
  return [
    m[0] * n[0] + m[2] * n[1],
    m[1] * n[0] + m[3] * n[1],
    m[0] * n[2] + m[2] * n[3],
    m[1] * n[2] + m[3] * n[3],
    m[0] * n[4] + m[2] * n[5] + m[4],
    m[1] * n[4] + m[3] * n[5] + m[5],
  ];
}

/** Font names are known only after the page's operators were read; a page that fails there still has its text. */
async function boldFonts(page: PDFPageProxy, fontIds: string[]): Promise<Set<string>> {
  try {
    await page.getOperatorList();
  } catch {
    return new Set();
  }
  return new Set(fontIds.filter((id) => page.commonObjs.has(id) && isBold(page.commonObjs.get(id))));
}

function isBold(font: { name?: string; bold?: boolean; black?: boolean } | null): boolean {
  return Boolean(
    font?.bold || font?.black || /bold|black|heavy|demi|medi(?!um)|cmbx/i.test(font?.name ?? ''),
  );
}

function inside({ x, y, width, height }: Box): Box {
  const left = clamp(x);
  const top = clamp(y);
  return {
    x: round(left),
    y: round(top),
    width: round(clamp(x + width) - left),
    height: round(clamp(y + height) - top),
  };
}

const clamp = (share: number) => Math.min(1, Math.max(0, share));
const round = (share: number) => Math.round(share * 10_000) / 10_000;
