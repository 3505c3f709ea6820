import { cleanText, withoutBullet } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { ExtractedDocument, TextBlock } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';

/**
 * Reads plain text: paragraphs stand between empty lines; headings are underlined, numbered or in capitals.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseText(bytes: Uint8Array): ExtractedDocument {
  const blocks = textBlocks(decodeText(bytes));
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format: 'text', title: null, pageCount: null, blocks, warnings: [] };
}

export function textBlocks(text: string): TextBlock[] {
  return text
    .split(/\r\n?|\n|\f/)
    .reduce(toParagraphs, [[]])
    .flatMap(readParagraph)
    .filter((block) => block.text !== '');
}

function toParagraphs(paragraphs: string[][], line: string): string[][] {
  if (line.trim() !== '') paragraphs.at(-1)!.push(line);
  else if (paragraphs.at(-1)!.length > 0) paragraphs.push([]);
  return paragraphs;
}

const UNDERLINE = /^\s*(={3,}|-{3,}|~{3,})\s*$/;
const ITEM = /^\s*(?:[•▪●◦‣*–-]\s+|\(?(?:\d{1,2}|[a-z])[.)]\s+)/;
const NUMBERED_HEADING =
  /^\s*(?:(?:section|article|part|chapter)\s+[\divx]+[.:]?\s*|(\d+(?:\.\d+)*)\.?\s+)\p{Lu}/iu;

function readParagraph(lines: string[]): TextBlock[] {
  const [first, second, ...rest] = lines;
  if (first === undefined) return [];
  if (second !== undefined && UNDERLINE.test(second))
    return [heading(first, second.includes('=') ? 1 : 2), ...readParagraph(rest)];
  const level = lines.length === 1 ? headingLevel(first) : undefined;
  if (level) return [heading(first, level)];
  // A title in capitals may stand directly on its text.
  if (second !== undefined && isCapitals(first)) return [heading(first, 2), ...readParagraph(lines.slice(1))];
  return readItems(lines);
}

function headingLevel(line: string): number | undefined {
  const text = line.trim();
  if (text.split(/\s+/).length > MAX_HEADING_WORDS || /[.;,]$/.test(text)) return undefined;
  if (isCapitals(text)) return 2;
  const number = NUMBERED_HEADING.exec(text);
  if (!number) return undefined;
  return number[1] ? number[1].split('.').length + 1 : 2;
}

function isCapitals(line: string): boolean {
  const letters = line.match(/\p{Lu}/gu) ?? [];
  return letters.length >= 4 && line === line.toUpperCase() && line.split(/\s+/).length <= MAX_HEADING_WORDS;
}

/** Lines of one paragraph; each bullet or number begins an item, and lines that follow belong to it. */
function readItems(lines: string[]): TextBlock[] {
  const blocks: { kind: TextBlock['kind']; lines: string[] }[] = [];
  for (const line of lines) {
    const isItem = ITEM.test(line);
    if (isItem || blocks.length === 0)
      blocks.push({ kind: isItem ? 'list-item' : 'paragraph', lines: [line] });
    else blocks.at(-1)!.lines.push(line);
  }
  return blocks.map(({ kind, lines: own }) => {
    const text = cleanText(own.join(' '));
    return { kind, text: kind === 'list-item' ? withoutBullet(text) : text, page: null, box: null };
  });
}

const heading = (line: string, level: number): TextBlock => ({
  kind: 'heading',
  level,
  text: cleanText(line),
  page: null,
  box: null,
});

const MAX_HEADING_WORDS = 12;
