import { ParseFailure } from './parse-failure.js';

/**
 * Text of bytes whose encoding nobody states: by a byte order mark, else UTF-8 if it is valid, else the one legacy
 * encoding in which it reads like a language. Wrongly decoded text would be found by no question, so doubt is refused.
 * @param ifUnknown `replace` gives a best effort for looking at the beginning of a file
 * @throws ParseFailure unknown-encoding
 */
export function decodeText(bytes: Uint8Array, ifUnknown: 'refuse' | 'replace' = 'refuse'): string {
  const marked = byMark(bytes) ?? asUtf8(bytes);
  if (marked !== undefined) return marked;
  const legacy = asWestern(bytes) ?? asCyrillic(bytes);
  if (legacy !== undefined) return legacy;
  if (ifUnknown === 'replace') return new TextDecoder().decode(bytes);
  throw new ParseFailure('unknown-encoding');
}

function byMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return undefined;
}

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Western text is mostly ASCII, with accented letters inside words and typographic marks between them. */
function asWestern(bytes: Uint8Array): string | undefined {
  const decoder = new TextDecoder('windows-1252');
  const text = decoder.decode(bytes.subarray(0, SAMPLE_BYTES));
  const foreign = text.match(/\P{ASCII}/gu) ?? [];
  const plausible = foreign.every((character) => WESTERN.test(character));
  const accented = text.match(/[À-ÖØ-öø-ÿŒœŠšŽžŸ]/g)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return plausible && accented <= letters * MAX_ACCENTED_SHARE ? decoder.decode(bytes) : undefined;
}

/** Of the Cyrillic encodings, the one in which the frequent letters of Russian are frequent. */
function asCyrillic(bytes: Uint8Array): string | undefined {
  const [best] = ['windows-1251', 'ibm866', 'koi8-r']
    .map((encoding) => {
      const decoder = new TextDecoder(encoding);
      return { decoder, score: cyrillicScore(decoder.decode(bytes.subarray(0, SAMPLE_BYTES))) };
    })
    .sort((a, b) => b.score - a.score);
  return best && best.score >= MIN_CYRILLIC_SCORE ? best.decoder.decode(bytes) : undefined;
}

/** Share of the most frequent lower-case letters among everything that is not ASCII: 0.7 in real text. */
function cyrillicScore(text: string): number {
  const foreign = text.match(/\P{ASCII}/gu)?.length ?? 0;
  const frequent = text.match(/[оеаинтсрвлкмдпу]/g)?.length ?? 0;
  return foreign < MIN_FOREIGN ? 0 : frequent / foreign;
}

const WESTERN = /[À-ÖØ-öø-ÿŒœŠšŽžŸ€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›\u00A0-¿×÷]/;
/** German and French stay below 0.1. */
const MAX_ACCENTED_SHARE = 0.2;
const MIN_CYRILLIC_SCORE = 0.55;
/** With fewer letters to look at, chance decides. */
const MIN_FOREIGN = 12;
/** What the first so many bytes look like, the rest is. */
const SAMPLE_BYTES = 262_144;
