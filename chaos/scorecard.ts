import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { Cell } from './cell.js';
import { answered, type Evidence, percent } from './evidence.js';
import { inSeconds, type Played } from './play.js';

export interface Score {
  cell: Cell;
  verdict: 'passed' | 'failed' | 'not run';
  /** Why it failed or was not run. */
  reasons: string[];
  played?: Played;
}

export function scoreOf(played: Played): Score {
  const reasons = [
    ...played.expectations.filter(({ kept }) => !kept).map(({ text }) => text),
    ...played.checks.flatMap(({ check, wrong }) =>
      wrong
        .slice(0, MOST_REASONS)
        .map((text) => `${check}: ${text}`)
        .concat(more(check, wrong.length)),
    ),
  ];
  return { cell: played.cell, verdict: reasons.length === 0 ? 'passed' : 'failed', reasons, played };
}

const MOST_REASONS = 3;
const more = (check: string, count: number) =>
  count > MOST_REASONS ? [`${check}: and ${count - MOST_REASONS} more like these`] : [];

export function printScore({ cell, verdict, reasons, played }: Score): void {
  const time = played ? `${played.seconds.toFixed(0)} s` : '';
  console.log(
    `${cell.id.padEnd(5)} ${verdict.toUpperCase().padEnd(8)} ${time.padStart(5)}  ${cell.dependency}: ${cell.fault}`,
  );
  if (played) {
    console.log(
      `        levels ${levelsOf(played.evidence)} | ${clientsOf(played.evidence)} | ${recoveryOf(played.evidence)}`,
    );
    for (const { kept, text } of played.expectations) console.log(`        ${kept ? '+' : '-'} ${text}`);
  }
  for (const reason of played ? reasons.filter((text) => !isExpectation(played, text)) : reasons)
    console.log(`        - ${reason}`);
}

const isExpectation = ({ expectations }: Played, text: string) =>
  expectations.some((expectation) => expectation.text === text);

export function summaryOf(scores: readonly Pick<Score, 'verdict'>[]): string {
  const count = (verdict: Score['verdict']) => scores.filter((score) => score.verdict === verdict).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('not run')} not run`;
}

/** The page `docs/resilience-scorecard.md`. */
export function pageOf(scores: readonly Score[], minutes: number): string {
  const [processor] = cpus();
  const rows = scores.map(rowOf).join('\n');
  return `# Resilience scorecard

What \`npm run chaos\` measured: each cell breaks one thing of the real program (child processes, a real PostgreSQL, a real
Redis, a scripted model) under the load of four tenants, heals it, measures the way back, and then looks for what must never
be: an acknowledged write that is lost or there twice, a word of one tenant at another, a change without its audit event,
a permit that was kept, a secret in a log. Every verdict is a measurement; a cell that cannot be run is listed as such.

**${summaryOf(scores)}**, in ${minutes.toFixed(0)} minutes on ${cpus().length} cores (${processor?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, at commit ${commit()}.

Levels are those that clients were given during the fault. *Answered* counts all requests made during it. The way back is
from the end of the fault to the first of three full answers in a row, and to the moment the program itself says so, which
is ten seconds later on purpose.

| cell | dependency | fault | levels | what clients saw | back | verdict |
| --- | --- | --- | --- | --- | --- | --- |
${rows}

## What was measured

${scores.map(detailOf).join('\n\n')}
`;
}

/** The page with what was played again in the place of what it said before, and what is new at its end; each names its own commit. */
export function mergedInto(page: string, scores: readonly Score[]): string {
  const parts = page
    .trimEnd()
    .split(/^(?=### )/m)
    .map((part) => part.trimEnd());
  for (const score of scores) {
    const { id } = score.cell;
    const known = parts.findIndex((part) => part.startsWith(`### ${id} `));
    const at = known < 0 ? parts.length : known;
    parts[0] = withRow(parts[0]!, score);
    parts[at] = `${detailOf(score)}\n- played at commit ${commit()}`;
  }
  const verdicts = parts.slice(1).map((part) => ({ verdict: /^### \S+ (.+?):/.exec(part)?.[1] }));
  const summary = summaryOf(verdicts as Pick<Score, 'verdict'>[]);
  parts[0] = parts[0]!.replace(/\*\*\d+ passed, .* not run\*\*/, `**${summary}**`);
  return `${parts.join('\n\n')}\n`;
}

function withRow(table: string, score: Score): string {
  const own = new RegExp(`^\\| ${score.cell.id} \\|.*$`, 'm');
  if (own.test(table)) return table.replace(own, () => rowOf(score));
  const end = table.indexOf('\n\n', table.lastIndexOf('\n| '));
  return `${table.slice(0, end)}\n${rowOf(score)}${table.slice(end)}`;
}

function rowOf({ cell, verdict, played }: Score): string {
  const cells = played
    ? [levelsOf(played.evidence), clientsOf(played.evidence), recoveryOf(played.evidence)]
    : ['', '', ''];
  return `| ${[cell.id, cell.dependency, cell.fault, ...cells, verdict === 'passed' ? verdict : `**${verdict}**`].join(' | ')} |`;
}

function detailOf({ cell, verdict, reasons, played }: Score): string {
  const failed = reasons.filter((text) => !played || !isExpectation(played, text));
  const lines = [
    ...(played?.expectations ?? []).map(({ kept, text }) => `- ${kept ? '' : '**missed** '}${text}`),
    ...failed.map((text) => `- ${played ? '**missed** ' : ''}${text}`),
    ...(played ? [`- checked besides: ${checksOf(played)}`] : []),
    ...Object.entries(cell.without ?? {}).map(([check, why]) => `- not checked: ${check} (${why})`),
  ];
  return `### ${cell.id} ${verdict}: ${cell.dependency}, ${cell.fault}\n\n${lines.join('\n')}`;
}

const checksOf = ({ checks }: Played) =>
  checks
    .filter(({ wrong }) => wrong.length === 0)
    .map(({ check }) => check)
    .join(', ');

const levelsOf = ({ levelsSeen }: Evidence) => levelsSeen.join(', ') || 'none';

function clientsOf(evidence: Evidence): string {
  const all = evidence.during();
  const codes = Object.entries(evidence.codes)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${count} × ${code}`);
  return [`${percent(answered(all))} of ${all.length} answered`, ...codes.slice(0, 5)].join(', ');
}

const recoveryOf = ({ recovery: { requestsMs, reportedMs } }: Evidence) =>
  `${inSeconds(requestsMs)}, reported ${inSeconds(reportedMs)}`;

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
