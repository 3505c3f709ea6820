import type { NewPassage } from '../../rag/index.js';
import type { Block, ExtractedDocument, TableBlock, TextBlock } from '../parsing/extracted-document.js';
import { prosePassages } from './prose.js';
import { tablePassages } from './table-rows.js';
import { countWords } from './words.js';

/**
 * Cuts a document into passages of at most `MAX_WORDS` words: prose on sentence borders, tables by rows. The same
 * document always gives the same passages, in reading order.
 */
export function makePassages(document: Pick<ExtractedDocument, 'blocks'>): NewPassage[] {
  const passages: Omit<NewPassage, 'ordinal'>[] = [];
  const headings = new HeadingPath();
  let prose: TextBlock[] = [];
  const flush = () => {
    passages.push(...prosePassages(prose, headings.titles));
    prose = [];
  };
  for (const [i, block] of document.blocks.entries()) {
    if (block.kind === 'heading') {
      flush();
      headings.enter(block);
      if (isBare(block, document.blocks[i + 1])) prose.push(block);
    } else if (block.kind === 'table') {
      flush();
      passages.push(...tablePassages(block, pathOf(block, headings.titles)));
    } else prose.push(block);
  }
  flush();
  return passages.map((passage, ordinal) => ({ ...passage, ordinal }));
}

/** A short caption is the title of its table. */
function pathOf({ caption }: TableBlock, titles: string[]): string[] {
  const isTitle = caption !== null && countWords(caption) <= MAX_CAPTION_WORDS && caption !== titles.at(-1);
  return isTitle ? [...titles, caption] : titles;
}

/** A heading with nothing under it would be lost, because headings are not part of passages' text. */
function isBare(heading: TextBlock, next: Block | undefined): boolean {
  return !next || (next.kind === 'heading' && (next.level ?? 1) <= (heading.level ?? 1));
}

/** The titles of the sections that the reader is in. */
class HeadingPath {
  private open: { level: number; title: string }[] = [];

  get titles(): string[] {
    return this.open.map((heading) => heading.title);
  }

  enter({ level = 1, text }: TextBlock): void {
    this.open = [...this.open.filter((heading) => heading.level < level), { level, title: text }];
  }
}

const MAX_CAPTION_WORDS = 12;
