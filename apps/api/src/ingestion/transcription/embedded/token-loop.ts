/**
 * Speech models sometimes fall into saying the same words for ever. Says from where on the end of the tokens only
 * repeats what was said just before; undefined as long as it does not.
 *
 * @returns how many tokens to keep: everything up to the first time
 */
export function loopStart(tokens: readonly number[]): number | undefined {
  for (let length = 1; length <= LONGEST_LOOP; length++) {
    let repeated = 0;
    while (
      repeated < tokens.length - length &&
      tokens.at(-1 - repeated) === tokens.at(-1 - repeated - length)
    )
      repeated += 1;
    const times = Math.floor(repeated / length);
    if (times >= FEWEST_TIMES && repeated >= FEWEST_TOKENS) return tokens.length - times * length;
  }
  return undefined;
}

/** In tokens. People do say "no, no, no, no". */
const LONGEST_LOOP = 16;
const FEWEST_TIMES = 3;
const FEWEST_TOKENS = 8;
