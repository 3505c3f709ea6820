import type { PDFPageProxy } from 'unpdf/pdfjs';
import { visibleText } from '../clean-text.js';
import { type FieldValue, readFields } from './form-fields.js';
import { type Frame, pointInFrame, rectInFrame, type Span, type Turn } from './frame.js';
import type { Rect } from './geometry.js';
import { apply, type Matrix, multiply } from './matrix.js';
import { type Operators, readRulings, type Rulings } from './rulings.js';

export interface StructNode {
  role?: string;
  children?: StructNode[];
  /** Only of leaves: `content` refers to spans by id, `annotation` and `object` to form fields. */
  type?: string;
  id?: string;
  alt?: string;
}

export interface PageContent {
  number: number;
  /** The direction with most text first. */
  frames: Frame[];
  tree: StructNode | null;
  /** In points. */
  size: { width: number; height: number };
  pictures: Rect[];
  shapes: number;
  /** Of the text as the file has it, other than white space; and those of them that no writing system uses. */
  letters: number;
  garbledLetters: number;
}

/** Reads text, form fields, drawn lines and structure tree of a page. */
export async function readPage(page: PDFPageProxy, number: number, ops: Operators): Promise<PageContent> {
  const viewport = page.getViewport({ scale: 1 });
  const base = viewport.transform as unknown as Matrix;
  const content = await page.getTextContent({ includeMarkedContent: true });
  const drawn = await readDrawing(page, Object.keys(content.styles), ops, base);
  const frames = new Frames(number, viewport, drawn);
  const marked: Mark[] = [];
  let spaceBefore = false;
  let letters = 0;
  let garbledLetters = 0;
  for (const item of content.items) {
    if ('type' in item) {
      if (item.type === 'endMarkedContent') marked.pop();
      else marked.push(markOf(item as { tag?: string; id?: string }, marked.at(-1)));
      continue;
    }
    letters += item.str.match(/\S/g)?.length ?? 0;
    garbledLetters += item.str.match(GARBLED)?.length ?? 0;
    const text = visibleText(item.str);
    if (text.trim() === '') {
      spaceBefore = true;
      continue;
    }
    const mark = marked.at(-1) ?? { contentId: null, artifact: false };
    const matrix = multiply(base, item.transform as unknown as Matrix);
    frames.add(matrix, item.width, { text, bold: drawn.bold.has(item.fontName), spaceBefore, ...mark });
    spaceBefore = item.hasEOL;
  }
  for (const field of await readFields(page)) addField(frames, field, base);
  const tree = (await page.getStructTree()) as StructNode | null;
  const { pictures, shapes } = drawn;
  const { width, height } = viewport;
  return {
    number,
    frames: frames.all(),
    tree,
    size: { width, height },
    pictures,
    shapes,
    letters,
    garbledLetters,
  };
}

interface Mark {
  contentId: string | null;
  artifact: boolean;
}

function markOf(item: { tag?: string; id?: string }, outer?: Mark): Mark {
  return {
    contentId: item.id ?? outer?.contentId ?? null,
    artifact: (outer?.artifact ?? false) || item.tag === 'Artifact',
  };
}

/** Sorts text by its direction. */
class Frames {
  private readonly frames = new Map<string, Frame>();

  constructor(
    private readonly page: number,
    private readonly size: { width: number; height: number },
    private readonly rulings: Rulings,
  ) {}

  /** @param matrix from text space to the upright page; `width` in points */
  add(matrix: Matrix, width: number, text: Omit<Span, 'rect' | 'baseline' | 'size' | 'frame'>): void {
    const quarters = Math.atan2(matrix[1], matrix[0]) / (Math.PI / 2);
    const turn = (((Math.round(quarters) % 4) + 4) % 4) as Turn;
    // A stamp across the page is kept apart from the lines that it crosses.
    const slanted = Math.abs(quarters - Math.round(quarters)) > MAX_SLANT;
    const frame = this.frame(turn, slanted);
    const size = Math.hypot(matrix[2], matrix[3]) || Math.hypot(matrix[0], matrix[1]);
    const { x, y: baseline } = pointInFrame(matrix[4], matrix[5], turn, this.size);
    const rect = { x0: x, y0: baseline - ASCENT * size, x1: x + width, y1: baseline + DESCENT * size };
    frame.spans.push({ ...text, rect, baseline, size, frame });
  }

  /** The baseline of upright text that stands about as high: a field's label is printed by somebody else. */
  baselineBeside(y: number, size: number): number | undefined {
    const near = this.frame(0, false)
      .spans.map((span) => span.baseline)
      .sort((a, b) => Math.abs(a - y) - Math.abs(b - y))[0];
    return near !== undefined && Math.abs(near - y) < 0.6 * size ? near : undefined;
  }

  all(): Frame[] {
    const amount = (frame: Frame) => frame.spans.reduce((sum, span) => sum + span.text.length, 0);
    return [...this.frames.values()].sort((a, b) => amount(b) - amount(a));
  }

  private frame(turn: Turn, slanted: boolean): Frame {
    const key = `${turn}${slanted}`;
    const known = this.frames.get(key);
    if (known) return known;
    const [width, height] =
      turn % 2 === 0 ? [this.size.width, this.size.height] : [this.size.height, this.size.width];
    const frame: Frame = {
      page: this.page,
      turn,
      width,
      height,
      spans: [],
      rules: this.rulings.lines.map((line) => rectInFrame(line, turn, this.size)),
      fills: this.rulings.fills.map((fill) => rectInFrame(fill, turn, this.size)),
    };
    this.frames.set(key, frame);
    return frame;
  }
}

/** A field's value is drawn where the field is, its lines below each other. */
function addField(frames: Frames, { id, lines, rect }: FieldValue, base: Matrix): void {
  const [left, bottom, , top] = rect;
  const height = Math.abs(top - bottom) / lines.length;
  const size = Math.min(MAX_FIELD_SIZE, height * 0.8);
  lines.forEach((line, i) => {
    const text = visibleText(line);
    const middle = Math.max(top, bottom) - height * (i + 0.5);
    const { x, y } = apply(base, left, middle - 0.3 * size);
    const beside = lines.length === 1 ? frames.baselineBeside(y, size) : undefined;
    frames.add([size, 0, 0, size, x, beside ?? y], text.length * size * AVERAGE_LETTER, {
      ...{ text, bold: false, contentId: id, artifact: false, spaceBefore: true },
    });
  });
}

/** Fonts have names only after the operators were read; a page that fails there still has its text. */
async function readDrawing(page: PDFPageProxy, fontIds: string[], ops: Operators, base: Matrix) {
  try {
    const operators = await page.getOperatorList();
    const bold = new Set(fontIds.filter((id) => page.commonObjs.has(id) && isBold(page.commonObjs.get(id))));
    return { bold, ...readRulings(operators, ops, base) };
  } catch {
    return { bold: new Set<string>(), lines: [], fills: [], pictures: [], shapes: 0 };
  }
}

function isBold(font: { name?: string; bold?: boolean; black?: boolean } | null): boolean {
  if (font?.bold || font?.black) return true;
  return /bold|black|heavy|demi|-medi(?!um)|cmbx/i.test(font?.name ?? '');
}

/** The replacement character, private and unassigned code points, and control characters. */
const GARBLED = /[\uFFFD\p{Co}\p{Cn}]|(?![\t\n\r])\p{Cc}/gu;
/** Fonts state their own ascent and descent, often wrongly; these shares of the size fit nearly all of them. */
const ASCENT = 0.78;
const DESCENT = 0.22;
/** In quarter turns: about five degrees. */
const MAX_SLANT = 0.06;
/** In points. */
const MAX_FIELD_SIZE = 9;
/** Of the font size. */
const AVERAGE_LETTER = 0.5;
