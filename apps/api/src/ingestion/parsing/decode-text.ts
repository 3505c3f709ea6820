import { analyse } from 'chardet';
import { ParseFailure } from './parse-failure.js';

/**
 * Text of bytes whose encoding nobody states: by a byte order mark, by the zeros of UTF-16, as UTF-8 if it is valid,
 * else in the old encoding in which it clearly reads like a language. Wrongly decoded text would be found by no
 * question, so doubt is refused.
 * @param ifUnknown `replace` gives a best effort for looking at the beginning of a file
 * @throws ParseFailure unknown-encoding
 */
export function decodeText(bytes: Uint8Array, ifUnknown: 'refuse' | 'replace' = 'refuse'): string {
  const certain = asWide(bytes) ?? asUtf8(bytes);
  if (certain !== undefined) return certain;
  const sample = foreignLines(bytes);
  const encoding = byLetters(sample) ?? asCyrillic(sample) ?? asWestern(sample);
  const text = encoding === undefined ? undefined : decoded(bytes, encoding);
  if (text !== undefined) return text;
  if (ifUnknown === 'replace') return new TextDecoder().decode(bytes);
  throw new ParseFailure('unknown-encoding');
}

/** No zero bytes, unless they are halves of letters. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, SAMPLE_BYTES);
  return !head.includes(0) || wideEncoding(head) !== undefined;
}

type WideEncoding = 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

function wideEncoding(bytes: Uint8Array): WideEncoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const head = bytes.subarray(0, ZEROS_IN_BYTES);
  head.forEach((byte, index) => byte === 0 && (zeros[index % 2]! += 1));
  const [even, odd] = zeros.map((count) => count / (head.length / 2)) as [number, number];
  if (head.length < MIN_UNMARKED_BYTES || head.some(isControl)) return undefined;
  // Western text in UTF-16 without a mark: every second byte is zero, and none of the others.
  if (odd > MIN_ZERO_SHARE && even === 0) return 'utf-16le';
  if (even > MIN_ZERO_SHARE && odd === 0) return 'utf-16be';
  return undefined;
}

const isControl = (byte: number) => byte > 0 && byte < 0x20 && !/\s/.test(String.fromCharCode(byte));

function asWide(bytes: Uint8Array): string | undefined {
  const encoding = wideEncoding(bytes);
  if (encoding === undefined) return undefined;
  if (encoding === 'utf-16le' || encoding === 'utf-16be') return new TextDecoder(encoding).decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const letters: string[] = [];
  for (let at = 4; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, encoding === 'utf-32le');
    letters.push(code <= 0x10_ffff ? String.fromCodePoint(code) : '\uFFFD');
  }
  return letters.join('');
}

function asUtf8(bytes: Uint8Array): string | undefined {
  // Japanese mail is written in ASCII bytes, with escapes that switch to other letters.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('\u001b$')) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The lines that are not ASCII alone: in an English text with a few accents they say what thousands of others hide. */
function foreignLines(bytes: Uint8Array): Uint8Array {
  const lines: Uint8Array[] = [];
  let size = 0;
  for (let start = 0; start < bytes.length && size < SAMPLE_BYTES;) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const line = bytes.subarray(start, Math.min(end, start + SAMPLE_BYTES));
    if (line.some((byte) => byte >= 0x80 || byte === 0x1b)) {
      lines.push(line);
      size += line.length;
    }
    start = end;
  }
  return Buffer.concat(lines);
}

/** By how often letters and pairs of them occur in each encoding, if one stands out. */
function byLetters(sample: Uint8Array): string | undefined {
  const [best, second] = analyse(sample);
  if (!best || best.confidence < MIN_CONFIDENCE) return undefined;
  if (best.confidence < (second?.confidence ?? 0) * MIN_LEAD) return undefined;
  const windows = WINDOWS_SIBLING[best.name];
  if (windows === undefined) return best.name;
  const odd = (encoding: string) => oddities(new TextDecoder(encoding).decode(sample), best.lang);
  return odd(best.name) < odd(windows) ? best.name : windows;
}

/** How much of a text does not belong to its language: letters of others, and signs inside or before words. */
function oddities(text: string, language: string | undefined): number {
  const alphabet = ALPHABETS[language ?? ''];
  const letters = alphabet ? (text.match(/(?![A-Za-z])\p{L}/gu) ?? []) : [];
  const foreign = letters.filter((letter) => !alphabet!.includes(letter.toLowerCase())).length;
  return foreign + (text.match(/[¡-¶¸-¿×÷]\p{L}/gu)?.length ?? 0);
}

/** Of the Cyrillic encodings, the one in which the frequent letters of Russian are frequent. */
function asCyrillic(sample: Uint8Array): string | undefined {
  const [best] = ['windows-1251', 'ibm866', 'koi8-r']
    .map((encoding) => ({ encoding, score: cyrillicScore(new TextDecoder(encoding).decode(sample)) }))
    .sort((a, b) => b.score - a.score);
  return best && best.score >= MIN_CYRILLIC_SCORE ? best.encoding : undefined;
}

/** Share of the most frequent lower-case letters among everything that is not ASCII: 0.7 in real text. */
function cyrillicScore(text: string): number {
  const foreign = text.match(/\P{ASCII}/gu)?.length ?? 0;
  const frequent = text.match(/[оеаинтсрвлкмдпу]/g)?.length ?? 0;
  return foreign < MIN_FOREIGN ? 0 : frequent / foreign;
}

/** Western text is mostly ASCII, with accented letters inside words and typographic marks between them. */
function asWestern(sample: Uint8Array): string | undefined {
  const text = new TextDecoder('windows-1252').decode(sample);
  const foreign = text.match(/\P{ASCII}/gu) ?? [];
  const plain = text.match(/[A-Za-z0-9]/g)?.length ?? 0;
  const plausible = foreign.every((character) => WESTERN.test(character)) && !MARK_INSIDE_WORD.test(text);
  return plausible && foreign.length <= plain * MAX_FOREIGN_SHARE ? 'windows-1252' : undefined;
}

/** Undefined when too much of the text is not of this encoding after all. */
function decoded(bytes: Uint8Array, encoding: string): string | undefined {
  const text = new TextDecoder(encoding).decode(bytes);
  const lost = text.match(/[\uFFFD\u0080-\u009F]/g)?.length ?? 0;
  return lost <= text.length * MAX_LOST_SHARE ? text : undefined;
}

/** The encoding of Windows that has most letters in the same places, and is far more common. */
const WINDOWS_SIBLING: Readonly<Record<string, string>> = {
  'ISO-8859-2': 'windows-1250',
  'ISO-8859-7': 'windows-1253',
  'ISO-8859-8': 'windows-1255',
  'ISO-8859-9': 'windows-1254',
};
/** Letters beyond a to z, of the languages for which the two differ. */
const ALPHABETS: Readonly<Record<string, string>> = { pl: 'ąćęłńóśźż', cs: 'áčďéěíňóřšťúůýž' };

const WESTERN = /[À-ÖØ-öø-ÿŒœŠšŽžŸ€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›\u00A0-¿×÷]/;
/** As in "mo¿e", which is Polish in the wrong encoding. */
const MARK_INSIDE_WORD = /\p{L}[¡-¶¸-¿×÷]\p{L}/u;
/** German and French stay below 0.1. */
const MAX_FOREIGN_SHARE = 0.2;
const MIN_CYRILLIC_SCORE = 0.55;
/** With fewer letters to look at, chance decides. */
const MIN_FOREIGN = 12;
/** Of a hundred; sentences in the right encoding reach 35 to 100, chance stays below 20. */
const MIN_CONFIDENCE = 25;
/** How much the best guess must be above the next one. */
const MIN_LEAD = 1.3;
const MAX_LOST_SHARE = 0.001;
const MIN_ZERO_SHARE = 0.4;
/** Fewer bytes tell nothing. */
const MIN_UNMARKED_BYTES = 16;
const ZEROS_IN_BYTES = 4_096;
/** What the first so many bytes look like, the rest is. */
const SAMPLE_BYTES = 65_536;
