import type { Block, TextBlock, TextCue } from '../parsing/extracted-document.js';
import { countWords } from './words.js';

/**
 * Puts together what is said in one go: recordings are heard, and subtitles shown, a few seconds at a time, whatever the
 * sentences. A paragraph ends with a sentence, where the speaker makes a longer pause or has said enough.
 *
 * @returns undefined when the two are not one paragraph, or are not spoken at all
 */
export function joinSpoken(last: Block, next: Block): TextBlock | undefined {
  if (!isSpoken(last) || !isSpoken(next)) return undefined;
  const pauseMs = next.cues[0]!.startMs - last.cues.at(-1)!.endMs;
  const isOpen = !SENTENCE_END.test(last.text);
  const words = countWords(last.text);
  const goesOn = isOpen
    ? pauseMs < LONGEST_PAUSE_MS && words < MOST_WORDS
    : pauseMs < PARAGRAPH_PAUSE_MS && words < ENOUGH_WORDS;
  if (!goesOn) return undefined;
  const text = `${last.text} ${next.text}`;
  const moved = next.cues.map((cue) => ({ ...cue, start: cue.start + last.text.length + 1 }));
  return { ...last, text, cues: [...last.cues, ...moved] };
}

/** From when to when a slice of a block's text is said; nothing when it is written. */
export function timeOf(
  { cues = [] }: TextBlock,
  { start, end }: { start: number; end: number },
): { startMs: number; endMs: number }[] {
  const touched = cues.filter((cue, i) => cue.start < end && (cues[i + 1]?.start ?? Infinity) > start);
  if (touched.length === 0) return [];
  return [{ startMs: touched[0]!.startMs, endMs: Math.max(...touched.map((cue) => cue.endMs)) }];
}

interface SpokenSlice {
  block: TextBlock;
  start: number;
  end: number;
}

/** Milliseconds of silence between two slices; 0 where they are written, or spoken at once. */
export function pauseBetween(before: SpokenSlice, after: SpokenSlice): number {
  const [first] = timeOf(before.block, before);
  const [second] = timeOf(after.block, after);
  return first && second ? Math.max(0, second.startMs - first.endMs) : 0;
}

type SpokenBlock = TextBlock & { cues: TextCue[] };

const isSpoken = (block: Block): block is SpokenBlock =>
  block.kind === 'paragraph' && block.cues !== undefined && block.cues.length > 0;

const SENTENCE_END = /[.!?…。！？]["”’)\]]*$/;
const PARAGRAPH_PAUSE_MS = 2_000;
/** Nobody pauses longer within a sentence. */
const LONGEST_PAUSE_MS = 10_000;
const ENOUGH_WORDS = 60;
/** Of what has no sentences, such as subtitles without full stops. */
const MOST_WORDS = 400;
