import { stripInvisible } from './invisible.js';

/**
 * Takes from a model's text whatever a client could render as more than text: images and links (which can carry a
 * reader's data away as soon as they are shown), HTML, invisible characters. Words stay.
 *
 * It may be applied piece by piece: what two pieces form together is as harmless as each, because the pairs of
 * characters that make markup are taken apart wherever they stand.
 */
export function sanitise(text: string): string {
  return (
    stripInvisible(text)
      // `![alt](address)` goes, `[words](address)` keeps its words, and a number as words stays a marker.
      .replace(/!\[[^\]\n]*\]\([^)\n]*\)/g, '')
      .replace(/\[([^\]\n]*)\]\([^)\n]*\)/g, (_, words: string) =>
        /^[\d,;\s-]+$/.test(words) ? `[${words}]` : words,
      )
      .replace(/<\/?[a-z!?][^>\n]*>/gi, '')
      .replace(ADDRESS, LINK_REMOVED)
      // What is left of these pairs belongs to markup that was cut in two.
      .replace(/!(?=\[)/g, '')
      .replace(/\](?=[(:])/g, '] ')
      .replace(/<(?=[a-z/!?])/gi, '‹')
  );
}

const LINK_REMOVED = '(link removed)';

/** Addresses that clients make links of by themselves. */
const ADDRESS =
  /(?:\b[a-z][a-z0-9+.-]{1,20}:\/\/|\b(?:mailto|data|javascript|vbscript):(?=\S)|\bwww\.|(?<![\w:/])\/\/(?=[\w-]+\.))[^\s<>"”)\]]*/gi;
