import type { Outcome, Verdict } from './judge.js';
import type { Sample } from './manifest.js';

export interface Row {
  sample: Sample;
  outcome: Outcome;
  verdict: Verdict;
}

const HEAD = `# Formats

What becomes of real files of many formats, good and bad. This page is written by \`npm run ingest:corpus\`, which puts all
of them through the whole program at once, on the embedded defaults, and judges how each ended:

| class | what is demanded |
|---|---|
| text, ocr | a sentence that independent readers found in the file is in its passages |
| transcript | at most 15 % of the words are wrong |
| password, encrypted | the password is asked for; with it the file opens (where one is known) |
| encrypted-or-owner | opens, or the password is asked for |
| malformed, bomb | ends in time, read in part or refused with a reason; nothing crashes |
| no-text | refused with a reason |
| encoding | read in its own code page |

No file may take longer than 60 seconds. Of subtitles the words are compared, without their numbers and times.
`;

/** The whole page, from what was measured. */
export function formatsPage(
  rows: readonly Row[],
  figures: { allSeconds: string; idle: string; busy: string },
): string {
  const passed = rows.filter(({ verdict }) => verdict.passed).length;
  const lines = rows.map(({ sample, outcome, verdict }) => {
    const time = Math.max(outcome.seconds, outcome.opened?.seconds ?? 0).toFixed(1);
    return `| ${sample.file} | ${sample.class} | ${verdict.found} | ${time} | ${verdict.passed ? 'yes' : '**no**'} |`;
  });
  return `${HEAD}
**${passed} of ${rows.length}** ended as their class demands; all of them together took ${figures.allSeconds} on two cores. A search took
p50 / p95 ${figures.idle} before, and ${figures.busy} meanwhile.

| file | class | what was found | seconds | as demanded |
|---|---|---|---|---|
${lines.join('\n')}
`;
}
