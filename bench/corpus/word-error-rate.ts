/** Substitutions, insertions and deletions per word of the reference (Levenshtein over words); 1 is as bad as silence. */
export function wordErrorRate(reference: string, hypothesis: string): number {
  const wanted = wordsOf(reference);
  const heard = wordsOf(hypothesis);
  let row = heard.map((_, i) => i + 1);
  for (const [i, word] of wanted.entries()) {
    let diagonal = i;
    let left = i + 1;
    row = row.map((above, j) => {
      const cost = Math.min(diagonal + (heard[j] === word ? 0 : 1), above + 1, left + 1);
      diagonal = above;
      left = cost;
      return cost;
    });
  }
  return wanted.length === 0 ? 0 : (row.at(-1) ?? wanted.length) / wanted.length;
}

/** Case and punctuation are not heard, and "Mr." is said "mister". */
function wordsOf(text: string): string[] {
  const spoken = text
    .toLowerCase()
    .replace(/\bmr\./g, 'mister')
    .replace(/\bmrs\./g, 'missus');
  return spoken.match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu) ?? [];
}
