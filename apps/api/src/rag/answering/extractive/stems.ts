import { stem } from '../../text/index.js';

const CACHE_LIMIT = 20_000;
const cache = new Map<string, string>();

/** `stem`, remembered: the same few thousand words fill most documents. */
export function stemOf(word: string): string {
  const known = cache.get(word);
  if (known !== undefined) return known;
  if (cache.size >= CACHE_LIMIT) cache.clear();
  const made = stem(word);
  cache.set(word, made);
  return made;
}
