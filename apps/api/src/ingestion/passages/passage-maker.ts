import type { NewPassage } from '../../rag/passages/index.js';
import type { Block, TableBlock, TextBlock } from '../parsing/extracted-document.js';
import { prosePassages, settledProse } from './prose.js';
import { joinSpoken } from './spoken.js';
import { tablePassages } from './table-rows.js';
import { countWords } from './words.js';

/** What a maker remembers of the blocks that it was given. Plain JSON, so that another process can go on. */
export interface MakerState {
  /** Of the next passage. */
  ordinal: number;
  /** Of the sections that the reader is in. */
  headings: { level: number; title: string }[];
  /** Text under the last heading that is no passage yet. */
  prose: TextBlock[];
  /** The last block, whose meaning depends on the next one. */
  last: Block | null;
}

/**
 * Cuts a document into passages of at most `MAX_WORDS` words: prose on sentence borders, tables by rows. The same
 * blocks always give the same passages, in reading order, however many of them are pushed between two calls of `settle`.
 */
export class PassageMaker {
  private readonly made: NewPassage[] = [];

  constructor(private state: MakerState = { ordinal: 0, headings: [], prose: [], last: null }) {}

  push(block: Block): void {
    const joined = this.state.last && joinSpoken(this.state.last, block);
    if (this.state.last && !joined) this.read(this.state.last, block);
    this.state.last = joined ?? block;
  }

  /** Makes the passages that no further block can change. */
  settle(): void {
    const { passages, rest } = settledProse(this.state.prose, this.titles);
    this.add(passages);
    this.state.prose = rest;
  }

  /** There are no more blocks. */
  end(): void {
    if (this.state.last) this.read(this.state.last, undefined);
    this.state.last = null;
    this.flush();
  }

  /** The passages that were made since the last call. */
  take(): NewPassage[] {
    return this.made.splice(0);
  }

  get remembered(): MakerState {
    return this.state;
  }

  private read(block: Block, next: Block | undefined): void {
    if (block.kind === 'heading') {
      this.flush();
      this.enter(block);
      if (isBare(block, next)) this.state.prose.push(block);
    } else if (block.kind === 'table') {
      this.flush();
      this.add(tablePassages(block, pathOf(block, this.titles)));
    } else this.state.prose.push(block);
  }

  private get titles(): string[] {
    return this.state.headings.map((heading) => heading.title);
  }

  private enter({ level = 1, text }: TextBlock): void {
    const { headings } = this.state;
    this.state.headings = [...headings.filter((heading) => heading.level < level), { level, title: text }];
  }

  private flush(): void {
    this.add(prosePassages(this.state.prose, this.titles));
    this.state.prose = [];
  }

  private add(passages: readonly Omit<NewPassage, 'ordinal'>[]): void {
    for (const passage of passages) {
      this.made.push({ ...passage, ordinal: this.state.ordinal });
      this.state.ordinal += 1;
    }
  }
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

const MAX_CAPTION_WORDS = 12;
