const SERVICES = [
  'physiotherapy',
  'an emergency room visit',
  'a brand drug',
  'an MRI scan',
  'dental cleaning',
  'hospice care',
];
const CONDITIONS = [
  'after the deductible',
  'with prior approval',
  'in the network',
  'outside of the network',
  'at once a year',
];

/**
 * A fictitious plan in Markdown, different for each `seed` and always the same for one: `sections` headings, each with
 * one paragraph of sentences of fourteen words, which makes one passage (of five sentences or fewer).
 */
export function planText(seed: number, sections: number, sentencesEach = 5): string {
  const parts = [`# Plan ${seed}`];
  for (let i = 1; i <= sections; i++) {
    const sentences = Array.from({ length: sentencesEach }, (_, j) => {
      const n = seed * 7 + i * 5 + j * 3;
      const service = SERVICES[n % SERVICES.length];
      const condition = CONDITIONS[(n + j) % CONDITIONS.length];
      return `For ${service} in year ${2000 + (n % 30)} plan ${seed} pays $${n * 10 + j} of the cost ${condition}.`;
    });
    parts.push(`## Section ${i}`, sentences.join(' '));
  }
  return `${parts.join('\n\n')}\n`;
}
