import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, expectThat, type Play } from '../cell.js';
import { isReady } from '../harness/balancer.js';
import { PLAIN } from '../harness/world.js';
import { CLIENT_DEADLINE_MS } from '../load/client.js';
import type { Level } from '../load/history.js';
import { writeConversation } from '../load/operations.js';
import { answeredAtLeast, lateOnes, percentileAtMost, refusalsSayWhen, slowestAtMost } from './bounds.js';

const ANY_LEVEL: readonly Level[] = ['full', 'degraded', 'minimal', 'unavailable'];
const WITHOUT_DATABASE: readonly Level[] = ['full', 'degraded', 'unavailable'];
const KILLS = 4;
const COMMITS_BROKEN = 200;

const postgres = (cell: Omit<Cell, 'dependency' | 'setUp'> & Partial<Cell>): Cell => ({
  dependency: 'PostgreSQL',
  setUp: PLAIN,
  ...cell,
});

/** The server goes away, or does not answer any more. */
export const lossCells: readonly Cell[] = [
  postgres({
    id: 'F01',
    fault: `sessions killed by SIGKILL, ${KILLS} times; each time the server ends all of them and recovers`,
    seconds: 9,
    begin: ({ world }) => world.postgres.killBackend(),
    async during({ world }) {
      for (let kill = 2; kill < KILLS; kill++) {
        await delay(3_000);
        await world.postgres.killBackend().catch(() => undefined);
      }
      await delay(3_000);
    },
    // Recovery is measured from the last one.
    heal: ({ world }) => world.postgres.killBackend(),
    levels: ANY_LEVEL,
    recoverWithinMs: 3_000,
    expects: (evidence) => [refusalsSayWhen(evidence.during())],
  }),
  postgres({
    id: 'F02',
    fault: 'server killed by SIGKILL and away for 10 s',
    seconds: 10,
    begin: ({ world }) => world.postgres.kill(),
    heal: ({ world }) => world.postgres.startAgain(),
    levels: WITHOUT_DATABASE,
    recoverWithinMs: 5_000,
    expects: (evidence) => [
      refusalsSayWhen(evidence.during()),
      percentileAtMost(0.95, 50, lateOnes(refused(evidence.during())), 'refusals once open'),
      answeredAtLeast(0.99, evidence.during('repeated'), 'questions that had been asked before'),
    ],
  }),
  postgres({
    id: 'F03',
    ...brokenCommits(COMMITS_BROKEN),
    seconds: 60,
  }),
  postgres({
    id: 'F04',
    fault: 'gone for a minute',
    seconds: 60,
    begin: ({ world }) => world.postgres.stop(),
    async during({ world, notes, cell }) {
      const from = performance.now();
      await delay(cell.seconds * 1_000);
      const live = await fetch(`${world.replica.url}/health/live`);
      notes['live'] = live.status;
      notes['ready'] = Number(await isReady(world.replica));
      notes['connectsPerSecond'] = world.postgresProxy.busiestSecond(from + 5_000);
    },
    heal: ({ world }) => world.postgres.startAgain(),
    levels: WITHOUT_DATABASE,
    recoverWithinMs: 10_000,
    alerts: true,
    expects: (evidence, { notes }) => [
      expectThat(notes['live'] === 200, `live answers ${notes['live']}`),
      expectThat(notes['ready'] === 0, 'not ready while the database is away'),
      expectThat(
        notes['connectsPerSecond']! <= 2,
        `${notes['connectsPerSecond']} attempts to connect in the busiest second (bound 2)`,
      ),
      refusalsSayWhen(evidence.during()),
      answeredAtLeast(0.99, evidence.during('repeated'), 'questions that had been asked before'),
    ],
  }),
  postgres({
    id: 'F09',
    fault: 'hangs: packets are lost both ways and no connection ends',
    seconds: 25,
    begin: ({ world }) => world.postgresProxy.inject({ toServer: { hang: true }, toClient: { hang: true } }),
    heal: ({ world }) => world.postgresProxy.heal(),
    levels: WITHOUT_DATABASE,
    recoverWithinMs: 10_000,
    expects: (evidence) => [
      slowestAtMost(CLIENT_DEADLINE_MS + 200, evidence.during(), 'answers'),
      percentileAtMost(0.95, 300, lateOnes(refused(evidence.during())), 'refusals once open'),
      refusalsSayWhen(evidence.during()),
    ],
  }),
];

const refused = <T extends { status?: number }>(operations: readonly T[]): T[] =>
  operations.filter(({ status }) => status === 503);

/** What becomes of writes whose commits are broken `times`, in the cell and in the proof over many more. */
export function brokenCommits(times: number): Omit<Cell, 'id' | 'dependency' | 'setUp' | 'seconds'> {
  return {
    fault: `connection cut at COMMIT, ${times} times, half of them after it was done`,
    begin: () => Promise.resolve(),
    during: (play) => breakCommits(play, times),
    heal: ({ world }) => world.postgresProxy.heal(),
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    // An event of a change whose answer was lost, and of its repetition, are one event each.
    expects: (_, { notes }) => [
      expectThat(notes['broken']! >= times, `${notes['broken']} commits were broken (bound ${times})`),
      expectThat(
        notes['unacknowledged'] === 0,
        `${notes['unacknowledged']} writes were never acknowledged (bound 0)`,
      ),
    ],
  };
}

/** Writers that insist on their writes, while the connection is cut at their commits again and again. */
async function breakCommits({ world, client, notes, cell }: Play, times: number): Promise<void> {
  const { postgresProxy: proxy, tenants } = world;
  const before = proxy.counters.resets;
  const limit = AbortSignal.timeout(cell.seconds * 1_000);
  notes['unacknowledged'] = 0;
  const isDone = () => proxy.counters.resets - before >= times;
  const write = async (i: number) => {
    while (!limit.aborted && !isDone()) {
      const last = AbortSignal.timeout(60_000);
      const acknowledged = await client.insist(writeConversation(tenants[i % tenants.length]!), last, 50);
      if (!acknowledged) notes['unacknowledged']! += 1;
    }
  };
  const writers = Promise.all(Array.from({ length: 8 }, (_, i) => write(i)));
  for (let n = 0; !limit.aborted && !isDone(); n++) {
    const when = n % 2 === 0 ? 'after' : 'before';
    await proxy.inject({ toServer: { resetOn: { bytes: 'COMMIT', when, skip: n % 3, times: 1 } } });
    await delay(100);
  }
  notes['broken'] = proxy.counters.resets - before;
  await proxy.heal();
  await writers;
}
