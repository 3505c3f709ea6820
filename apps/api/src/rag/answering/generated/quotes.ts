import type { Span } from '../../text/index.js';

/**
 * Where the quote stands in the source, word for word: only white space, letter case and typography (kinds of
 * quotation marks, dashes, ligatures, invisible characters) may differ. Whole words and whole numbers only: "$25" does
 * not stand in "$250".
 *
 * @returns exact offsets in the source; undefined when it does not stand there
 */
export function findVerbatim(quote: string, source: string): Span | undefined {
  const wanted = normalise(quote).text.replace(/^[\s"'.,;:]+|[\s"'.,;:]+$/g, '');
  if (wanted === '') return undefined;
  const { text, offsets } = normalise(source);
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (!cutsWord(text, at) && !cutsWord(text, end))
      return { start: offsets[at]!, end: endOf(source, offsets[end - 1]!) };
  }
  return undefined;
}

/** Whether a place lies within a word, or within a number such as 1,000.50. */
function cutsWord(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at, at + 2);
  return (
    (/[\p{L}\p{N}]$/u.test(before) && /^[\p{L}\p{N}]/u.test(after)) ||
    (/\d$/.test(before) && /^[.,]\d/.test(after)) ||
    (/\d[.,]$/.test(before) && /^\d/.test(after))
  );
}

interface Normalised {
  text: string;
  /** For each UTF-16 code unit of the text: where the character it came from begins in the source. */
  offsets: number[];
}

function normalise(source: string): Normalised {
  let text = '';
  const offsets: number[] = [];
  let at = 0;
  for (const character of source) {
    for (const unit of plain(character)) {
      if (unit === ' ' && (text === '' || text.endsWith(' '))) continue;
      text += unit;
      for (let i = 0; i < unit.length; i++) offsets.push(at);
    }
    at += character.length;
  }
  return { text, offsets };
}

function plain(character: string): string {
  // Letters of ASCII are nearly all there is.
  if (character >= 'a' && character <= 'z') return character;
  const known = TYPOGRAPHY[character];
  if (known !== undefined) return known;
  if (/\s/.test(character)) return ' ';
  if (/[\p{Cc}\p{Cf}\p{Variation_Selector}]/u.test(character)) return '';
  return character.normalize('NFKC').toLowerCase();
}

const TYPOGRAPHY: Record<string, string> = {
  ...Object.fromEntries([...'“”„‟«»″'].map((mark) => [mark, '"'])),
  ...Object.fromEntries([...'‘’‚‛′`´'].map((mark) => [mark, "'"])),
  ...Object.fromEntries([...'‐‑‒–—―−'].map((dash) => [dash, '-'])),
  // The prompt writes ‹ for the < of what looks like its own tags.
  '‹': '<',
};

function endOf(source: string, start: number): number {
  return start + String.fromCodePoint(source.codePointAt(start)!).length;
}
