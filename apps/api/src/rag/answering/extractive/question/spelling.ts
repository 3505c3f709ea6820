/** A shorter word has too many neighbours to guess which one was meant. */
const MIN_LENGTH = 5;
/** From this length on, two slips are forgiven. */
const LONG_WORD = 11;

/**
 * The known word that was probably meant by an unknown one: the nearest by edits (insert, delete, replace, swap
 * neighbours), the most frequent among equals. undefined when none is near enough.
 */
export function correctSpelling(word: string, frequencies: ReadonlyMap<string, number>): string | undefined {
  if (word.length < MIN_LENGTH || /\d/.test(word)) return undefined;
  const limit = word.length >= LONG_WORD ? 2 : 1;
  let best: { candidate: string; distance: number; frequency: number } | undefined;
  for (const [candidate, frequency] of frequencies) {
    // First letters are rarely wrong, and "rental" is not "dental".
    if (candidate[0] !== word[0] || Math.abs(candidate.length - word.length) > limit) continue;
    if (candidate.length < MIN_LENGTH) continue;
    const distance = editDistance(word, candidate, limit);
    if (distance > limit) continue;
    const better =
      !best || distance < best.distance || (distance === best.distance && frequency > best.frequency);
    if (better) best = { candidate, distance, frequency };
  }
  return best?.candidate;
}

/** Optimal string alignment distance; anything above `limit` is reported as `limit + 1`. */
export function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    [beforeLast, last] = [last, row];
  }
  return Math.min(last[b.length]!, limit + 1);
}
