import { type Box, type NewPassage, sentencesOf } from '../../rag/passages/index.js';
import type { TextBlock } from '../parsing/extracted-document.js';
import { pauseBetween, timeOf } from './spoken.js';
import { countWords, cutLong, MAX_WORDS, type Slice } from './words.js';

/** The passages of one stretch of text under one heading. */
export function prosePassages(
  blocks: readonly TextBlock[],
  headingPath: string[],
): Omit<NewPassage, 'ordinal'>[] {
  return pack(blocks.flatMap(unitsOf)).map(({ units }) => passageOf(units, headingPath));
}

/**
 * The passages at the beginning of a stretch that nothing which is added to its end can change, and the blocks that the
 * others are made of: cutting these again, with what comes, gives what cutting all together would.
 */
export function settledProse(
  blocks: readonly TextBlock[],
  headingPath: string[],
): { passages: Omit<NewPassage, 'ordinal'>[]; rest: TextBlock[] } {
  const units = blocks.flatMap(unitsOf);
  const packed = pack(units);
  const settled = packed.findLastIndex(({ first }) => {
    // What a list repeats stands before it; of a list without end, only the next items do.
    const isApart = units[first]!.block.kind !== 'list-item' || units.length > MAX_HELD_UNITS;
    const startsBlock = units[first - 1]?.block !== units[first]!.block;
    // Whether a paragraph still fits depends on what follows it.
    return isApart && startsBlock && first + paragraphFrom(units, first).length < units.length;
  });
  if (settled <= 0) return { passages: [], rest: [...blocks] };
  const { first } = packed[settled]!;
  return {
    passages: packed.slice(0, settled).map((passage) => passageOf(passage.units, headingPath)),
    rest: blocks.slice(blocks.indexOf(units[first]!.block)),
  };
}

const passageOf = (units: readonly Unit[], headingPath: string[]): Omit<NewPassage, 'ordinal'> => ({
  kind: 'prose',
  text: joined(units),
  headingPath,
  ...placeOf(units),
  ...spokenTimeOf(units),
  row: null,
});

/** A sentence, or a part of a very long one: what is never cut. */
interface Unit extends Slice {
  block: TextBlock;
  text: string;
  words: number;
}

function unitsOf(block: TextBlock): Unit[] {
  return sentencesOf(block.text)
    .flatMap((sentence) => cutLong(block.text, sentence, MAX_WORDS - BULLET_WORDS))
    .map((slice) => {
      const text = block.text.slice(slice.start, slice.end).trim();
      return { ...slice, block, text, words: countWords(text) };
    })
    .filter((unit) => unit.words > 0);
}

interface Packed {
  units: Unit[];
  /** The index of the first unit that is not repeated from before. */
  first: number;
}

/** Fills passages up to the limit, preferring to end them where a paragraph ends. */
function pack(units: readonly Unit[]): Packed[] {
  const passages: Packed[] = [];
  let current: Packed = { units: [], first: 0 };
  for (const [i, unit] of units.entries()) {
    if (current.units.length > 0 && !fits(current.units, units, i)) {
      passages.push(current);
      current = { units: introOf(units, i, unit.words), first: i };
    }
    current.units.push(unit);
  }
  if (current.units.length > 0) passages.push(current);
  return passages;
}

function fits(current: readonly Unit[], units: readonly Unit[], i: number): boolean {
  const unit = units[i]!;
  // Whoever plays the passage must not wait through it.
  if (pauseBetween(current.at(-1)!, unit) > LONGEST_SILENCE_MS) return false;
  const words = wordsOf(current);
  if (words + unit.words + bulletWords(unit) > MAX_WORDS) return false;
  const startsParagraph = current.at(-1)!.block !== unit.block;
  if (!startsParagraph) return true;
  // A list's intro goes with its first item, and a question with its answer, rather than ending a passage.
  const paragraph = paragraphFrom(units, i);
  const next = units[i + paragraph.length];
  const isQuestion = /[:?]$/.test(unit.block.text);
  const introduces =
    unit.block.kind === 'paragraph' && next && (next.block.kind === 'list-item' || isQuestion);
  const together = words + wordsOf(introduces ? [...paragraph, next] : paragraph) <= MAX_WORDS;
  return together || words < ENOUGH_WORDS;
}

/** A list that goes on in the next passage repeats what introduced it: the paragraph, or else its last sentence. */
function introOf(units: readonly Unit[], i: number, itemWords: number): Unit[] {
  if (units[i]!.block.kind !== 'list-item') return [];
  let at = i - 1;
  while (units[at]?.block.kind === 'list-item') at -= 1;
  if (at < 0) return [];
  const room = Math.min(MAX_INTRO_WORDS, MAX_WORDS - itemWords - BULLET_WORDS);
  const paragraph = units.filter((unit) => unit.block === units[at]!.block);
  return [paragraph, [units[at]!]].find((intro) => wordsOf(intro) <= room) ?? [];
}

function paragraphFrom(units: readonly Unit[], i: number): Unit[] {
  const paragraph: Unit[] = [];
  for (let at = i; units[at]?.block === units[i]!.block; at += 1) paragraph.push(units[at]!);
  return paragraph;
}

const wordsOf = (units: readonly Unit[]) =>
  units.reduce((sum, unit) => sum + unit.words + bulletWords(unit), 0);
const bulletWords = (unit: Unit) => (unit.block.kind === 'list-item' && unit.start === 0 ? BULLET_WORDS : 0);

/** Paragraphs stay apart and items keep a bullet, so that later readers still see sentences' borders. */
function joined(units: readonly Unit[]): string {
  let text = '';
  let previous: Unit | undefined;
  for (const unit of units) {
    const startsItem = unit.block.kind === 'list-item' && unit.start === 0;
    const startsParagraph = previous !== undefined && previous.block !== unit.block;
    if (startsItem) text += text === '' ? '• ' : '\n• ';
    else if (startsParagraph) text += '\n\n';
    else if (previous) text += ' ';
    text += unit.text;
    previous = unit;
  }
  return text;
}

/** Page of the first unit, and the box around the lines of all units on that page. */
function placeOf(units: readonly Unit[]): { page: number | null; box: Box | null } {
  const places = units.flatMap(placesOf);
  const page = places[0]?.page ?? null;
  return { page, box: around(places.filter((place) => place.page === page).map((place) => place.box)) };
}

/** From the first to the last that is said; a list that goes on repeats its introduction, which was said before. */
function spokenTimeOf(units: readonly Unit[]): { startMs: number; endMs: number } | undefined {
  const times = units.flatMap((unit) => timeOf(unit.block, unit));
  if (times.length === 0) return undefined;
  return {
    startMs: Math.min(...times.map((time) => time.startMs)),
    endMs: Math.max(...times.map((time) => time.endMs)),
  };
}

function placesOf({ block, start, end }: Unit): { page: number | null; box: Box | null }[] {
  const { lines = [] } = block;
  const touched = lines.filter((line, i) => line.start < end && (lines[i + 1]?.start ?? Infinity) > start);
  return touched.length > 0 ? touched : [{ page: block.page, box: block.box }];
}

/** The smallest rectangle around all boxes; null when there is none. */
export function around(boxes: readonly (Box | null)[]): Box | null {
  const known = boxes.filter((box) => box !== null);
  if (known.length === 0) return null;
  const x = Math.min(...known.map((b) => b.x));
  const y = Math.min(...known.map((b) => b.y));
  const width = Math.max(...known.map((b) => b.x + b.width)) - x;
  const height = Math.max(...known.map((b) => b.y + b.height)) - y;
  return { x, y, width: round(width), height: round(height) };
}

const round = (share: number) => Math.round(share * 10_000) / 10_000;

/** A speaker who takes breath is quicker. */
const LONGEST_SILENCE_MS = 5_000;
/** Sentences of about twenty pages. */
const MAX_HELD_UNITS = 1_000;
/** A passage with this many words may end at a paragraph's end, although words of the next one would still fit. */
const ENOUGH_WORDS = 40;
/** Longer introductions are not repeated. */
const MAX_INTRO_WORDS = 30;
/** The bullet put before an item counts, because the embedder reads it too. */
const BULLET_WORDS = 1;
