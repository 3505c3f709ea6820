import { tokenCosts } from './token-costs.js';

/*
 * What it costs to find out who is asking: `npm run bench:tokens`. Processor time of this process for each check, in one
 * run.
 */

const ROUNDS = 5;

console.log(
  '| round | jose alone | token, not its session | token, cold | API key, cold | token, cached | API key, cached |',
);
console.log('|---|---|---|---|---|---|---|');
for (const [i, costs] of (await tokenCosts(ROUNDS)).entries()) {
  const { jose, token, tokenCold, keyCold, tokenCached, keyCached } = costs;
  const cells = [jose, token, tokenCold, keyCold, tokenCached, keyCached].map((us) => `${us.toFixed(1)} µs`);
  console.log(`| ${[i + 1, ...cells].join(' | ')} |`);
}
console.log('\nA logout held for the next check of the same token.');
