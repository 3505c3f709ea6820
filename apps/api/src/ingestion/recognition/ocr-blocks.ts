import type { Box } from '../../rag/index.js';
import { cleanText } from '../parsing/clean-text.js';
import type { Block, TextBlock } from '../parsing/extracted-document.js';
import { parseMarkdown } from '../parsing/markdown.parser.js';
import { assemble } from '../parsing/pdf/assemble.js';
import { finishBlocks } from '../parsing/pdf/finish.js';
import { readPlainFrame } from '../parsing/pdf/plain-page.js';
import type { OcrResult, OcrWord, PlacedText } from './ocr-engine.js';
import { boxBeforeTurning, mapBoxes } from './page-places.js';
import { frameOf } from './text-frame.js';

export interface PageText {
  page: number;
  text: OcrResult;
}

export interface PageOfBlocks {
  page: number;
  blocks: Block[];
  words: number;
  /** Mean over the words, 0 to 1; undefined when nobody told, or when there are none. */
  confidence: number | undefined;
}

/**
 * Makes blocks of recognised words as they are made of the text of a PDF: paragraphs, columns and tables by where the
 * words stand, without heads and feet that run over these pages.
 *
 * @param minConfidence words of which the engine was less sure are left out
 */
export function blocksOfPages(pages: readonly PageText[], minConfidence: number): PageOfBlocks[] {
  const placed = new Map(
    pages.flatMap(({ page, text }) =>
      text.kind === 'placed' ? [[page, withoutJunk(text, minConfidence)] as const] : [],
    ),
  );
  const read = [...placed].map(([page, text]) => ({
    tagged: false,
    blocks: readPlainFrame(frameOf(text, page)),
    artifacts: [],
  }));
  const { body, notes } = assemble(read);
  const blocks = finishBlocks([...body, ...notes]).map((block) => finish(block, placed));
  return pages.map(({ page, text }) =>
    text.kind === 'plain'
      ? plainPage(page, text.text)
      : {
          page,
          blocks: blocks.filter((block) => block.page === page),
          ...wordsOf(placed.get(page)!),
        },
  );
}

/** With what the engine told of its words, and with boxes on the pages as they are. */
function finish(block: Block, pages: ReadonlyMap<number, PlacedText>): Block {
  const rated = block.kind === 'table' ? block : { ...block, ...confidenceOf(block, pages) };
  return mapBoxes(rated, (box, page) => boxBeforeTurning(box, pages.get(page)!));
}

function confidenceOf({ lines = [] }: TextBlock, pages: ReadonlyMap<number, PlacedText>) {
  const words = lines.flatMap(({ page, box }) => wordsInside(pages.get(page)!, box));
  return words.length > 0 ? { confidence: meanConfidence(words) } : {};
}

function wordsInside({ lines, width, height }: PlacedText, box: Box): OcrWord[] {
  const isInside = ({ rect }: OcrWord) => {
    const x = (rect.x0 + rect.x1) / 2 / width;
    const y = (rect.y0 + rect.y1) / 2 / height;
    return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  };
  return lines.flatMap(({ words }) => words.filter(isInside));
}

function wordsOf({ lines }: PlacedText): Pick<PageOfBlocks, 'words' | 'confidence'> {
  const words = lines.flatMap((line) => line.words);
  return { words: words.length, confidence: words.length > 0 ? meanConfidence(words) : undefined };
}

const meanConfidence = (words: readonly OcrWord[]) =>
  words.reduce((sum, word) => sum + word.confidence, 0) / words.length;

/** Specks, frames and pictures are read as words, too, but nobody is sure of them. */
function withoutJunk(text: PlacedText, minConfidence: number): PlacedText {
  const lines = text.lines
    .map((line) => ({
      ...line,
      words: line.words
        .map((word) => ({ ...word, text: cleanText(word.text) }))
        .filter((word) => word.confidence >= minConfidence && word.text !== ''),
    }))
    // A line of marks alone is a ruling or a frame.
    .filter(({ words }) => words.some((word) => /[\p{L}\p{N}]/u.test(word.text)));
  return { ...text, lines };
}

/** Of an engine that tells no places, all that is known is the page. Such engines write Markdown. */
function plainPage(page: number, text: string): PageOfBlocks {
  const words = text.match(/[\p{L}\p{N}]\S*/gu)?.length ?? 0;
  const blocks = words === 0 ? [] : parseMarkdown(Buffer.from(text)).blocks;
  return { page, blocks: blocks.map((block) => onPage(block, page)), words, confidence: undefined };
}

function onPage(block: Block, page: number): Block {
  if (block.kind !== 'table') return { ...block, page };
  return { ...block, page, rows: block.rows.map((row) => ({ ...row, page })) };
}
