/** A word of a text with the place where it stands, in UTF-16 code units. */
export interface Token {
  /** Lower case, straight apostrophes. */
  text: string;
  start: number;
  end: number;
}

/**
 * The words and numbers of a text in order; "out-of-pocket" is three words, "$1,000" is the number "1,000". Words of scripts
 * that write no spaces between them are told apart by the dictionaries of ICU.
 */
export function tokenize(text: string): Token[] {
  return UNSPACED.test(text) ? runsOf(text).flatMap(wordsOf) : runsOf(text);
}

/** The same, but for scripts without spaces: there, everything between two marks is one. */
export function runsOf(text: string): Token[] {
  return Array.from(text.matchAll(WORD_OR_NUMBER), ({ 0: word, index }) => ({
    text: word.toLowerCase().replaceAll('’', "'"),
    start: index,
    end: index + word.length,
  }));
}

const WORD_OR_NUMBER = /\p{N}+(?:[.,]\p{N}+)*|\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)?/gu;
/** Letters of scripts that write no spaces between words. */
export const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

function wordsOf(run: Token): Token[] {
  if (!UNSPACED.test(run.text)) return [run];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' });
  return Array.from(segmenter.segment(run.text), ({ segment, index }) => ({
    text: segment,
    start: run.start + index,
    end: run.start + index + segment.length,
  }));
}

/** Made when it is needed: it takes megabytes. */
let segmenter: Intl.Segmenter | undefined;
