import { batchOf, type NewPassage, type PassageBatch, PASSAGES_PER_BLOCK } from '../../rag/passages/index.js';
import { type Block, textsOf } from '../parsing/extracted-document.js';
import { levelOf } from '../parsing/pdf/headings.js';
import { joinStretches, type OpenEnd, type Seam } from '../parsing/pdf/seam.js';
import { type MakerState, PassageMaker } from './passage-maker.js';

/** What is remembered between two parts of a document: plain JSON, of a size that does not grow with the document. */
export interface StructureState {
  /** Of the part that was last read, what may go on in the next one. */
  open: OpenEnd | null;
  maker: MakerState;
  /** Made, but too few for a batch. */
  waiting: NewPassage[];
  /** The passage before those, which stands in a batch. */
  before: NewPassage | null;
  /** Some text of every part, because cover pages and forms are often in another language. */
  sample: string;
}

export interface StructuredPart {
  state: StructureState;
  batches: PassageBatch[];
}

export interface StructureOptions {
  /** The document ends with this part, so that nothing is held back. */
  isLast: boolean;
  /** Of the whole document, the one that stands out most first. */
  headingStyles: readonly number[];
  /** How many the document has. */
  parts: number;
}

/**
 * Makes the passages of a document part by part.
 * @param state from the part before; null for the first one
 */
export function structurePart(
  state: StructureState | null,
  part: { blocks: readonly Block[]; seam?: Seam },
  { isLast, headingStyles, parts }: StructureOptions,
): StructuredPart {
  const { blocks, open } = joinStretches(state?.open ?? null, part.blocks, part.seam);
  const maker = new PassageMaker(state?.maker);
  for (const block of isLast ? [...blocks, ...(open?.blocks ?? [])] : blocks)
    maker.push(withLevel(block, headingStyles));
  if (isLast) maker.end();
  else maker.settle();
  const passages = [...(state?.waiting ?? []), ...maker.take()];
  const { batches, waiting, before } = batchesOf(passages, state?.before ?? null, isLast);
  const sample = `${state?.sample ?? ''}\n${sampleOf(part.blocks.flatMap(textsOf), SAMPLE_CHARACTERS / parts)}`;
  return {
    batches,
    state: { open: isLast ? null : open, maker: maker.remembered, waiting, before, sample },
  };
}

/** A stretch of pages does not show all styles of a document. */
function withLevel(block: Block, styles: readonly number[]): Block {
  if (block.kind !== 'heading' || block.style === undefined || !styles.includes(block.style)) return block;
  return { ...block, level: levelOf(block.style, styles) };
}

/** A batch is full, and the passage behind it is known; only the last one need not be. */
function batchesOf(passages: readonly NewPassage[], before: NewPassage | null, isLast: boolean) {
  const batches: PassageBatch[] = [];
  let at = 0;
  let last = before;
  while (isLast ? at < passages.length : passages.length - at > PASSAGES_PER_BLOCK) {
    const batch = passages.slice(at, at + PASSAGES_PER_BLOCK);
    at += batch.length;
    batches.push(batchOf(batch, { before: last, after: passages[at] }));
    last = batch.at(-1)!;
  }
  return { batches, waiting: passages.slice(at), before: last };
}

/** Every second text, or third …, so that the sample is from everywhere. */
function sampleOf(texts: readonly string[], characters: number): string {
  const all = texts.reduce((sum, text) => sum + text.length, 0);
  const step = Math.max(1, Math.ceil(all / characters));
  return texts
    .filter((_, i) => i % step === 0)
    .join('\n')
    .slice(0, characters);
}

/** Enough to tell the language, and little enough that a thousand pages take no longer than ten. */
const SAMPLE_CHARACTERS = 20_000;
