/** A piece of a text, in UTF-16 code units: `text.slice(start, end)`, without white space at its ends. */
export interface Span {
  start: number;
  end: number;
}

/**
 * The sentences of a text, in order. A line that begins with a bullet and an empty line begin a new one; other line
 * breaks count as spaces, because lines of a PDF break in the middle of sentences.
 */
export function sentencesOf(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  for (const { index, 0: gap } of text.matchAll(BOUNDARY)) {
    if (isAbbreviation(text, index)) continue;
    pushTrimmed(spans, text, start, index);
    start = index + gap.length;
  }
  pushTrimmed(spans, text, start, text.length);
  return spans;
}

/**
 * White space between two sentences (after their closing mark, quote or bracket, before a capital, digit, quote or
 * bracket), the end of a sentence in a script that has closing marks of its own and no spaces, an empty line, or a line
 * break before a bullet.
 */
const BOUNDARY =
  /(?<=[。！？｡][」』）]*)\s*(?![。！？｡」』）])|(?<=[.!?…]["'”’)\]]*)\s+(?=["'“‘([]*[\p{Lu}\p{N}])|\s*\n\s*\n\s*|\s*\n\s*(?=[•▪●◦‣*–-]\s)/gu;

/** A full stop behind one of these, or behind a single capital, does not end a sentence. */
const ABBREVIATIONS = new Set([
  ...[
    'e.g',
    'i.e',
    'etc',
    'vs',
    'cf',
    'approx',
    'no',
    'nos',
    'sec',
    'art',
    'fig',
    'par',
    'p',
    'pp',
    'vol',
    'ext',
  ],
  ...['mr', 'mrs', 'ms', 'dr', 'prof', 'st', 'jr', 'sr', 'inc', 'ltd', 'co', 'corp', 'dept', 'est', 'attn'],
]);

function isAbbreviation(text: string, end: number): boolean {
  const word = /(?:^|[\s("“[])((?:\p{L}\.)*\p{L}+)\.$/u.exec(text.slice(Math.max(0, end - 24), end))?.[1];
  if (!word) return false;
  return /^\p{Lu}$/u.test(word) || ABBREVIATIONS.has(word.toLowerCase());
}

function pushTrimmed(spans: Span[], text: string, from: number, to: number): void {
  const piece = text.slice(from, to);
  const start = from + piece.length - piece.trimStart().length;
  const end = from + piece.trimEnd().length;
  if (start < end) spans.push({ start, end });
}
