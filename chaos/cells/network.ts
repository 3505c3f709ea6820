import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, expectThat, type Play } from '../cell.js';
import { isReady } from '../harness/balancer.js';
import { PLAIN } from '../harness/world.js';
import { levelsOn } from '../load/recovery.js';
import { answeredAtLeast } from './bounds.js';

/** How long a load balancer may take to notice. */
const NOTICED_MS = 5_000;
const EACH_MS = 15_000;

export const networkCells: readonly Cell[] = [
  {
    id: 'F55',
    dependency: 'network',
    fault: 'one of two replicas does not reach PostgreSQL; then it is not answered by it',
    setUp: { ...PLAIN, replicas: 2 },
    seconds: (2 * EACH_MS) / 1_000,
    begin: ({ world }) =>
      world.postgresProxies[1]!.inject({ connect: 'refuse' }).then(() =>
        world.postgresProxies[1]!.resetConnections(),
      ),
    during: partially,
    heal: ({ world }) => world.postgresProxies[1]!.heal(),
    levels: ['full', 'degraded', 'unavailable'],
    recoverWithinMs: 10_000,
    expects: (evidence, { notes }) => {
      const untouched = evidence.during().filter(({ replica }) => replica === 'replica-0');
      return [
        answeredAtLeast(0.999, untouched, 'requests to the replica that reaches it'),
        expectThat(notes['otherReady'] === 0, 'the one that does not is not ready'),
        expectThat(notes['otherReadyOneWay'] === 0, 'neither is it when answers are lost'),
        expectThat(notes['firstFull'] === 1, 'all levels of the other are full'),
        expectThat(
          notes['movedShare']! >= 0.95,
          `${(100 * notes['movedShare']!).toFixed(0)} % of the requests went to it once that was noticed (bound 95 %)`,
        ),
      ];
    },
  },
];

async function partially({ world, history, notes }: Play): Promise<void> {
  const [first, second] = world.replicas as [Play['world']['replica'], Play['world']['replica']];
  await delay(NOTICED_MS);
  const noticedAt = history.now();
  await delay(EACH_MS - NOTICED_MS);
  notes['otherReady'] = Number(await isReady(second));
  const levels = await world.operator.levels(first);
  notes['firstFull'] = Number(levels !== undefined && levelsOn(levels).every((level) => level === 'full'));
  const later = history.operations.filter(({ startedAt }) => startedAt > noticedAt);
  notes['movedShare'] = later.filter(({ replica }) => replica === first.name).length / later.length;
  await world.postgresProxies[1]!.inject({ toClient: { hang: true } });
  await delay(EACH_MS);
  notes['otherReadyOneWay'] = Number(await isReady(second));
}
