/**
 * Breaks what the program depends on, one thing after the other, and says what came of it.
 *
 *   npm run chaos                      all cells; writes docs/resilience-scorecard.md
 *   npm run chaos -- F01 F24           some
 *   npm run chaos -- --ci              twelve, in a few minutes; one that misses a bound is played once more
 *   npm run chaos -- --questions 10000 also so many questions while each of model, embedder and cache is away
 *   npm run chaos -- --kills 50        also PostgreSQL killed so often under load
 *   npm run chaos -- --commits 1000    also so many connections cut at their COMMIT
 *   npm run chaos -- --flaky 2000      also so many questions to a model that fails in every way, sometimes
 *
 * With `--only` the long proofs alone. With `--merge` what was played takes the place of what the scorecard says of it.
 *
 * Exits 1 when a cell failed.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Cell } from './cell.js';
import { cells, CI_CELLS } from './cells/index.js';
import { commitProof, flakyProof, killProof, outageProofs } from './cells/proofs.js';
import { World, worldKey } from './harness/world.js';
import { play } from './play.js';
import { mergedInto, pageOf, printScore, type Score, scoreOf, summaryOf } from './scorecard.js';

const SCORECARD = 'docs/resilience-scorecard.md';
/** An alert that is opened for the fourth time in ten minutes counts as flapping, and stays for ten minutes. */
const CELLS_A_WORLD = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ci: { type: 'boolean', default: false },
    merge: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    only: { type: 'boolean', default: false },
    questions: { type: 'string' },
    kills: { type: 'string' },
    commits: { type: 'string' },
    flaky: { type: 'string' },
  },
});
const wanted = values.ci ? CI_CELLS : positionals;
const unknown = wanted.filter((id) => !cells.some((cell) => cell.id === id));
if (unknown.length > 0) throw new Error(`There is no cell ${unknown.join(', ')}`);
const isWhole = wanted.length === 0 && !values.only;
const chosen = cells.filter(({ id }) => isWhole || wanted.includes(id));
const proofs = [
  ...(values.questions ? outageProofs(Number(values.questions)) : []),
  ...(values.kills ? [killProof(Number(values.kills))] : []),
  ...(values.commits ? [commitProof(Number(values.commits))] : []),
  ...(values.flaky ? [flakyProof(Number(values.flaky))] : []),
];

const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'navigator-chaos-'));
const scores: Score[] = [];
// The proofs take long, so they come last.
for (const group of [...byWorld(chosen), ...byWorld(proofs)]) await playGroup(group);
if (values.merge && !isWhole)
  await writeFile(SCORECARD, mergedInto(await readFile(SCORECARD, 'utf8'), scores));
const minutes = minutesSince(startedAt);
console.log(`\n${summaryOf(scores)} in ${minutes.toFixed(1)} minutes`);
const hasFailed = scores.some(({ verdict }) => verdict === 'failed');
// What a failed cell recorded is worth a look.
if (hasFailed || values.keep) console.log(`Histories and logs are in ${folder}`);
else await rm(folder, { recursive: true, force: true });
process.exit(hasFailed ? 1 : 0);

/** Cells that need the same world, a few to a group, in the order of their first cells. */
function byWorld(list: readonly Cell[]): Cell[][] {
  return [...Map.groupBy(list, ({ setUp }) => worldKey(setUp)).values()].flatMap((same) =>
    Array.from({ length: Math.ceil(same.length / CELLS_A_WORLD) }, (_, i) =>
      same.slice(i * CELLS_A_WORLD, (i + 1) * CELLS_A_WORLD),
    ),
  );
}

/** By number; what has not been played yet says so. */
function withTheRest(): Score[] {
  const rest = [...chosen, ...proofs].filter((cell) => !scores.some((score) => score.cell === cell));
  const unplayed = rest.map((cell): Score => ({
    cell,
    verdict: 'not run',
    reasons: ['the run ended before it'],
  }));
  return [...scores, ...unplayed].sort((a, b) => a.cell.id.localeCompare(b.cell.id));
}

function minutesSince(start: number): number {
  return (performance.now() - start) / 60_000;
}

/** A world that a cell has left broken is not used again. */
async function playGroup(group: readonly Cell[]): Promise<void> {
  let world: World | undefined;
  for (const cell of group) {
    const reason = cell.impossible?.();
    const score: Score = reason ? { cell, verdict: 'not run', reasons: [reason] } : await playOne(cell);
    scores.push(score);
    printScore(score);
    // After each cell, so that a run that is cut off leaves what it has measured.
    if (isWhole) await writeFile(SCORECARD, pageOf(withTheRest(), minutesSince(startedAt)));
  }
  await world?.stop();

  async function playOne(cell: Cell, isSecond = false): Promise<Score> {
    try {
      world ??= await World.start(cell.setUp, folder);
      const played = await play(cell, world, folder);
      const { requestsMs, reportedMs } = played.evidence.recovery;
      const score = scoreOf(played);
      // Bounds of time only: what a check found is wrong however busy the machine is.
      const isOnlyLate = played.checks.every(({ wrong }) => wrong.length === 0);
      if (values.ci && score.verdict === 'failed' && isOnlyLate && !isSecond) {
        printScore(score);
        console.log(`        ${cell.id} is played once more: other work on this machine breaks bounds too`);
        await discard();
        return playOne(cell, true);
      }
      if (requestsMs === undefined || reportedMs === undefined) await discard();
      return score;
    } catch (error) {
      await discard();
      return { cell, verdict: 'failed', reasons: [`could not be played: ${(error as Error).message}`] };
    }
  }

  async function discard(): Promise<void> {
    await world?.stop();
    world = undefined;
  }
}
