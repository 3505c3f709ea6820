import type { Draft, Line, TextDraft } from './draft.js';
import { Furniture } from './furniture.js';
import { promoteHeadings } from './headings.js';
import type { PageContent } from './page-content.js';
import { readPlainFrame } from './plain-page.js';
import { isCutSentence, isOtherSize } from './seam.js';
import { baselineOf, segmentsOf } from './segments.js';
import { continueTable, tableOf } from './sketch-table.js';
import type { TableSketch } from './table-sketch.js';
import { readTaggedPage } from './tagged-page.js';

export type PageBlock = TextDraft | TableSketch;

/** What one page gives, before pages are put together. */
export interface PageBlocks {
  /** By the author's tags rather than by geometry. */
  tagged: boolean;
  blocks: PageBlock[];
  /** Text that the author marked as furniture. */
  artifacts: Line[];
}

export function readBlocks(content: PageContent): PageBlocks {
  const artifacts = content.frames.flatMap((frame) =>
    segmentsOf(
      frame.spans.filter((span) => span.artifact),
      frame.rules,
    ),
  );
  const { blocks, untagged } = readTaggedPage(content);
  const tagged = lettersOf(content) > 0 && lettersIn(untagged) < 0.5 * lettersOf(content);
  const rest = tagged ? new Set(untagged) : undefined;
  const plain = content.frames.flatMap((frame) =>
    readPlainFrame(
      frame,
      frame.spans.filter((span) => !span.artifact && (!rest || rest.has(span))),
    ),
  );
  return { tagged, artifacts, blocks: tagged ? insert(blocks, plain) : plain };
}

/** The text of a stretch of pages, as drafts in reading order. */
export interface Stretch {
  body: Draft[];
  /** Notes at the foot of the last page. */
  notes: Draft[];
  /** The first block of the first page and the last one of the body, as the pages show them. */
  first: PageBlock | undefined;
  last: PageBlock | undefined;
}

/** Pages in order: without furniture, with what goes on overleaf joined, and with headings. */
export function assemble(pages: readonly PageBlocks[]): Stretch {
  const furniture = new Furniture();
  for (const { blocks, artifacts } of pages) furniture.see([...blocks.flatMap(textLines), ...artifacts]);
  const stated = new Set(pages.flatMap(({ blocks }) => blocks.flatMap(allLines)).map((line) => line.text));
  const cleared = pages.map(({ tagged, blocks, artifacts }) => ({
    tagged,
    blocks: blocks.flatMap((block) => withoutFurniture(block, furniture)),
    notes: artifacts
      .filter((line) => !furniture.has(line) && !stated.has(line.text) && line.text.split(' ').length >= 3)
      .map((line): TextDraft => ({ kind: 'paragraph', lines: [line] })),
  }));
  const hasHeadings = cleared.some(({ blocks }) => blocks.some((block) => block.kind === 'heading'));
  promoteHeadings(
    cleared.filter((page) => !hasHeadings || !page.tagged).flatMap(({ blocks }) => blocks.filter(isText)),
  );
  const joined: PageBlock[] = [];
  let notes: TextDraft[] = [];
  for (const page of cleared) {
    for (const [i, block] of page.blocks.entries()) {
      if (join(joined, block, i === 0)) continue;
      // Notes at the foot of a page stand below it, unless a text or table goes on overleaf.
      joined.push(...notes, block);
      notes = [];
    }
    notes.push(...page.notes);
  }
  const draftsOf = (blocks: PageBlock[]) => blocks.map((block) => (isText(block) ? block : tableOf(block)));
  return { body: draftsOf(joined), notes: draftsOf(notes), first: joined[0], last: joined.at(-1) };
}

const isText = (block: PageBlock): block is TextDraft => block.kind !== 'table-sketch';
const textLines = (block: PageBlock) => (isText(block) ? block.lines : []);
const allLines = (block: PageBlock) =>
  isText(block) ? block.lines : block.rows.flat().flatMap((cell) => cell.paragraphs.flat());

const lettersIn = (spans: readonly { text: string; artifact: boolean }[]) =>
  spans.reduce((sum, span) => sum + (span.artifact ? 0 : span.text.length), 0);
const lettersOf = ({ frames }: PageContent) => frames.reduce((sum, frame) => sum + lettersIn(frame.spans), 0);

/** What the tags forgot goes above the tagged text if it stands there, else below it. */
function insert(tagged: PageBlock[], plain: PageBlock[]): PageBlock[] {
  const topOf = (block: PageBlock) => Math.min(...allLines(block).map((line) => line.box.y));
  const top = Math.min(...tagged.map(topOf));
  const isAbove = (block: PageBlock) => topOf(block) < top;
  return [...plain.filter(isAbove), ...tagged, ...plain.filter((block) => !isAbove(block))];
}

function withoutFurniture(block: PageBlock, furniture: Furniture): PageBlock[] {
  if (!isText(block)) return [block];
  const lines = block.lines.filter((line) => !furniture.has(line));
  return lines.length > 0 ? [{ ...block, lines }] : [];
}

/** Lets a block continue the one before: a table overleaf, a sentence in the next column or page. */
function join(joined: PageBlock[], block: PageBlock, startsPage: boolean): boolean {
  const last = joined.at(-1);
  if (!last) return false;
  if (isText(last) && isText(block)) {
    if (!goesOn(last, block)) return false;
    last.lines.push(...block.lines);
    return true;
  }
  if (isText(last) || isText(block) || !startsPage) return false;
  const whole = continueTable(last, block);
  if (whole) joined[joined.length - 1] = whole;
  return whole !== null;
}

function goesOn(last: TextDraft, next: TextDraft): boolean {
  if (last.kind === 'heading' || next.kind !== 'paragraph') return false;
  const end = last.lines.at(-1)!;
  const start = next.lines[0]!;
  if (isOtherSize(end.size, start.size)) return false;
  return isFigureBeside(start, end) || isCutSentence(end.text, start.text);
}

/** A figure to the right of what it measures, as in a list of prices that is no table to its author. */
function isFigureBeside(figure: Line, line: Line): boolean {
  const isLevel = Math.abs(baselineOf(figure) - baselineOf(line)) < 0.2 * line.size;
  const isFigure = /\d/.test(figure.text) && figure.text.split(' ').length <= 4;
  return figure.page === line.page && isLevel && isFigure && figure.rect.x0 > line.rect.x1;
}
