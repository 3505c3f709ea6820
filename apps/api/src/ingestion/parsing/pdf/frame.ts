import type { Box } from '../../../rag/index.js';
import type { Rect } from './geometry.js';

/** Clockwise quarter turns of text against the upright page. */
export type Turn = 0 | 1 | 2 | 3;

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

/** The text of a page that reads in one direction, in points and coordinates in which it reads from left to right. */
export interface Frame {
  page: number;
  turn: Turn;
  width: number;
  height: number;
  spans: Span[];
  /** Lines and filled areas of the page, in the same coordinates. */
  rules: Rect[];
  fills: Rect[];
}

/** Where a point of the upright page stands in a frame of that turn. */
export function pointInFrame(x: number, y: number, turn: Turn, page: { width: number; height: number }) {
  const points = [
    { x, y },
    { x: y, y: page.width - x },
    { x: page.width - x, y: page.height - y },
    { x: page.height - y, y: x },
  ];
  return points[turn]!;
}

export function rectInFrame(rect: Rect, turn: Turn, page: { width: number; height: number }): Rect {
  const a = pointInFrame(rect.x0, rect.y0, turn, page);
  const b = pointInFrame(rect.x1, rect.y1, turn, page);
  return {
    x0: Math.min(a.x, b.x),
    y0: Math.min(a.y, b.y),
    x1: Math.max(a.x, b.x),
    y1: Math.max(a.y, b.y),
  };
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
