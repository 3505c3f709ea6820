import { runsOf, stem } from '../../text/index.js';

/**
 * The words of a text as they are looked up: lower case, without accents, English ones by their stems, without those
 * that say nothing about a topic. "$1,500.00" is `1500`. Scripts that write no spaces give pairs of characters.
 * Passages and questions go through the same function, so a change of it needs the passages to be indexed anew.
 */
export function termsOf(text: string): string[] {
  return runsOf(text.normalize('NFKD').replace(ACCENTS, '').normalize('NFKC'))
    .flatMap((token) => piecesOf(token.text))
    .filter((word) => !STOP_WORDS.has(word))
    .map((word) => stemOf(word).slice(0, MAX_TERM_LENGTH));
}

function piecesOf(word: string): string[] {
  if (/^\p{N}/u.test(word)) return [numberOf(word)];
  return UNSPACED.test(word) ? pairsOf(word) : [word];
}

/** Without marks between thousands and without zero cents, so that every way to write an amount is the same term. */
function numberOf(text: string): string {
  return text.replace(/,(?=\p{N}{3}(?:\D|$))/gu, '').replace(/\.0+$/, '');
}

function pairsOf(word: string): string[] {
  const characters = [...word];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, i) => characters[i]! + character);
}

function stemOf(word: string): string {
  let stemmed = stems.get(word);
  if (stemmed === undefined) {
    stemmed = stem(word);
    if (stems.size >= MAX_REMEMBERED) stems.clear();
    stems.set(word, stemmed);
  }
  return stemmed;
}

/** Stemming takes most of the time, and a document's words repeat. */
const stems = new Map<string, string>();
const MAX_REMEMBERED = 50_000;

/** As the database's limit on `posting.term`. */
const MAX_TERM_LENGTH = 64;
const ACCENTS = /[\u0300-\u036f]/g;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Lucene's English list, and the words that questions are made with: they raised nDCG@10 on policyqa by 0.006. */
const STOP_WORDS = new Set(
  `a an and are as at be but by for if in into is it no not of on or such that the their then there these they this
   to was will with about am any can could did do does from had has have he her him his how i its me my our ours she
   should so than them us we were what when where which who whom whose why would may might you your yours
   i'm it's that's there's what's who's don't doesn't didn't isn't aren't can't won't`.split(/\s+/),
);
