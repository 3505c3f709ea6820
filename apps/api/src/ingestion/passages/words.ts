/** The embedder reads about 128 tokens and ignores the rest; 90 words of English stay below that. */
export const MAX_WORDS = 90;

/** Scripts that put no space between words: every character counts. Endless tokens count once per 40 characters. */
const UNSPACED = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}';
const WORD = new RegExp(`[${UNSPACED}]|[^\\s${UNSPACED}]{1,40}`, 'gu');

/** Words as the embedder meets them: what stands between white space. */
export function countWords(text: string): number {
  return text.match(WORD)?.length ?? 0;
}

/** A piece of a text: `text.slice(start, end)`. */
export interface Slice {
  start: number;
  end: number;
}

/** Where a sentence may be cut, best first: between clauses, at smaller pauses, between any two words. */
const CUTS = [
  /(?<=[;:!?])\s+|\s+(?=[—–] )|(?<=[。；：！？])/gu,
  /(?<=[,)])\s+|(?<=[、，])|\s+(?=(?:and|or|but|if|unless|which|that|when) )/gu,
  new RegExp(`\\s+|(?<=[${UNSPACED}])|(?<=\\S{40})`, 'gu'),
];

/** Cuts a slice of a text into slices of at most `limit` words, at clause borders where there are any. */
export function cutLong(text: string, slice: Slice, limit: number): Slice[] {
  const part = text.slice(slice.start, slice.end);
  const total = countWords(part);
  if (total <= limit) return [slice];
  for (const cuts of CUTS) {
    const cut = cutNearMiddle(part, cuts, total);
    if (!cut) continue;
    return [
      ...cutLong(text, { start: slice.start, end: slice.start + cut.start }, limit),
      ...cutLong(text, { start: slice.start + cut.end, end: slice.end }, limit),
    ];
  }
  return [slice];
}

/** The gap nearest to the middle; none when that would leave less than an eighth on one side. */
function cutNearMiddle(part: string, cuts: RegExp, total: number): Slice | null {
  let best: Slice | null = null;
  let bestDistance = total * (3 / 8);
  let words = 0;
  let counted = 0;
  for (const { index, 0: gap } of part.matchAll(cuts)) {
    if (index === 0 || index + gap.length >= part.length) continue;
    words += countWords(part.slice(counted, index));
    counted = index;
    const distance = Math.abs(words - total / 2);
    if (distance > bestDistance) continue;
    best = { start: index, end: index + gap.length };
    bestDistance = distance;
  }
  return best;
}
