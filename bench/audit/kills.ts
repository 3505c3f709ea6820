/**
 * Kills the processes that answer, the one that seals, and PostgreSQL by SIGKILL at random moments while clients write. At
 * the end every acknowledged mutation must have exactly one event, every other one an event exactly when it was done, and
 * the log must verify. `npm run bench:audit-kills -- --kills 1000 --seed 1`. Exits 1 when anything is wrong.
 */
import { parseArgs } from 'node:util';
import { seeded } from '../../chaos/harness/random.js';
import { runKills } from './kills/index.js';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const startedMs = performance.now();
const seconds = () => `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`;

const { kills, problems, ...counts } = await runKills(
  Number(values.kills),
  seeded(Number(values.seed)),
  (kill) => {
    if (kill % 25 === 0) console.log(`${kill} kills, ${seconds()}`);
  },
);
const rows = {
  'kills by SIGKILL': Object.entries(kills)
    .map(([victim, count]) => `${count} ${victim}`)
    .join(', '),
  'mutations acknowledged': counts.acknowledged,
  'mutations without an answer': `${counts.unknown}, of which ${counts.unknownDone} were done`,
  'events in the log': counts.events,
  checkpoints: counts.checkpoints,
  'all done after': seconds(),
  'what is wrong': problems.length,
};
for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(28)} ${value}`);
for (const problem of problems.slice(0, 20)) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
