/**
 * A citation as models write it: [1], [1, 2], [1-3], [^1], 【1】, [Passage 1]. Not the words of a link, not in front of an
 * address.
 */
export const MARKER =
  /[[【]\s*\^?\s*(?:(?:passages?|sources?|documents?)\s*)?(?:#\s*)?(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\s*[\]】]/giu;

/** A list or range longer than this is no citation that anybody could check. */
const MOST_NUMBERS = 10;

/** A run of markers with nothing but space between them, and the text since the run before. */
export interface MarkedSegment {
  text: string;
  /** Passage numbers in the order they were written, each once; empty for the text behind the last marker. */
  numbers: number[];
}

/** Splits a sentence at its markers. What stands in `opaque` (code, quotations) is never a marker. */
export function splitAtMarkers(
  sentence: string,
  opaque: readonly { start: number; end: number }[],
): MarkedSegment[] {
  const segments: MarkedSegment[] = [];
  let at = 0;
  for (const { 0: marker, 1: list, index } of sentence.matchAll(MARKER)) {
    if (opaque.some(({ start, end }) => start <= index && index < end)) continue;
    const text = sentence.slice(at, index);
    at = index + marker.length;
    const before = segments.at(-1);
    if (before && text.trim() === '') before.numbers = unique([...before.numbers, ...numbersOf(list!)]);
    else segments.push({ text, numbers: numbersOf(list!) });
  }
  return at < sentence.length ? [...segments, { text: sentence.slice(at), numbers: [] }] : segments;
}

function numbersOf(list: string): number[] {
  const numbers = list.split(/[,;]/).flatMap((item) => {
    const [first = 0, last = first] = item.split(/[–-]/).map(Number);
    return Array.from({ length: Math.min(Math.max(last - first + 1, 1), MOST_NUMBERS) }, (_, i) => first + i);
  });
  return unique(numbers).slice(0, MOST_NUMBERS);
}

const unique = (numbers: number[]) => [...new Set(numbers)];
