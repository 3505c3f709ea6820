/** A word of a text with the place where it stands, in UTF-16 code units. */
export interface Token {
  /** Lower case, straight apostrophes. */
  text: string;
  start: number;
  end: number;
}

/** The words and numbers of a text in order; "out-of-pocket" is three words, "$1,000" is the number "1,000". */
export function tokenize(text: string): Token[] {
  return Array.from(text.matchAll(WORD_OR_NUMBER), ({ 0: word, index }) => ({
    text: word.toLowerCase().replaceAll('’', "'"),
    start: index,
    end: index + word.length,
  }));
}

const WORD_OR_NUMBER = /\p{N}+(?:[.,]\p{N}+)*|\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)?/gu;
