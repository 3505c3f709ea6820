import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, expectThat, type Play } from '../cell.js';
import { INSPECTED, runInside } from '../harness/inspector.js';
import { PLAIN } from '../harness/world.js';
import type { Level } from '../load/history.js';
import { QUESTIONS } from '../load/operations.js';
import { answeredAtLeast, refusalsSayWhen } from './bounds.js';

const ANY_LEVEL: readonly Level[] = ['full', 'degraded', 'minimal', 'unavailable'];
const EXIT_LIMIT_MS = 30_000;
const HEAP_MB = 256;
/** Of the heap's limit; garbage of requests comes on top. */
const HEAP_SHARE = 0.8;

const processCell = (cell: Omit<Cell, 'dependency' | 'setUp'> & Partial<Cell>): Cell => ({
  dependency: 'process',
  setUp: PLAIN,
  ...cell,
});

export const processCells: readonly Cell[] = [
  processCell({
    id: 'F52',
    fault: 'its event loop stands still for two seconds, three times',
    setUp: { ...PLAIN, nodeArgs: [INSPECTED] },
    seconds: 15,
    begin: () => Promise.resolve(),
    async during({ world, notes }) {
      notes['live'] = 0;
      for (let i = 0; i < 3; i++) {
        await runInside(world.replica, 'for (const end = Date.now() + 2000; Date.now() < end; );');
        await delay(3_000);
        const live = await fetch(`${world.replica.url}/health/live`).catch(() => undefined);
        notes['live'] += Number(live?.ok ?? false);
      }
    },
    heal: () => Promise.resolve(),
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    expects: (evidence, { notes }) => [
      expectThat(notes['live'] === 3, `alive after ${notes['live']} of 3 stalls`),
      refusalsSayWhen(evidence.during()),
      answeredAtLeast(0.9, evidence.during(), 'requests'),
    ],
  }),
  processCell({
    id: 'F53',
    fault: `its heap of ${HEAP_MB} MB is nearly full`,
    setUp: { ...PLAIN, nodeArgs: [INSPECTED, `--max-old-space-size=${HEAP_MB}`] },
    seconds: 45,
    begin: ({ world }) =>
      runInside(
        world.replica,
        `globalThis.ballast = [];
         while (process.memoryUsage().heapUsed < ${HEAP_MB * HEAP_SHARE * 1_048_576})
           globalThis.ballast.push(new Array(20_000).fill(globalThis.ballast.length));`,
      ),
    heal: ({ world }) => runInside(world.replica, 'delete globalThis.ballast'),
    levels: ANY_LEVEL,
    recoverWithinMs: 10_000,
    expects: (evidence, { world, notes }) => [
      expectThat(world.replica.isRunning && notes['pid'] === world.replica.pid, 'the process did not die'),
      refusalsSayWhen(evidence.during()),
    ],
    async during({ world, cell, notes }) {
      notes['pid'] = world.replica.pid;
      await delay(cell.seconds * 1_000);
    },
  }),
  processCell({
    id: 'F54',
    fault: 'SIGTERM under load, and again a second later; then started again',
    seconds: 30,
    begin: () => Promise.resolve(),
    during: endUnderLoad,
    heal: ({ world }) => world.replica.startAgain(),
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    expects: (_, { notes }) => [
      expectThat(notes['exitCode'] === 0, `exit code ${notes['exitCode']}`),
      expectThat(
        notes['exitMs']! <= EXIT_LIMIT_MS,
        `ended after ${(notes['exitMs']! / 1_000).toFixed(1)} s (bound 30 s)`,
      ),
      expectThat(
        notes['inFlight']! > 0 && notes['dropped'] === 0,
        `${notes['dropped']} of ${notes['inFlight']} requests under way were dropped (bound 0)`,
      ),
      expectThat(
        notes['streamsCut'] === 0,
        `${notes['streamsCut']} of ${notes['streams']} streams ended without an event that says so (bound 0)`,
      ),
    ],
  }),
];

/** The model takes its time, so that there is much under way. */
async function endUnderLoad({ world, history, notes }: Play): Promise<void> {
  await world.primary.follow({ chat: [{ cited: true, latencyMs: 1_500, gapMs: 100 }] });
  await delay(4_000);
  const { replica } = world;
  const askedAt = history.now();
  replica.signal('SIGTERM');
  const startedAt = performance.now();
  await delay(1_000);
  replica.signal('SIGTERM');
  notes['exitCode'] = (await replica.exit) ?? -1;
  notes['exitMs'] = performance.now() - startedAt;
  // Whatever was under way has its outcome now, or never.
  await delay(500);
  const underWay = history.operations.filter(
    (operation) => operation.startedAt < askedAt && operation.endedAt > askedAt,
  );
  const unary = underWay.filter(({ kind }) => kind !== 'stream');
  const streams = underWay.filter(({ kind }) => kind === 'stream');
  notes['inFlight'] = unary.length;
  notes['dropped'] = unary.filter(({ outcome }) => outcome === 'info').length;
  notes['streams'] = streams.length;
  notes['streamsCut'] = streams.filter(
    ({ outcome, code }) => outcome === 'info' || code === 'stream-ended',
  ).length;
  notes['questions'] = underWay.filter(({ kind }) => QUESTIONS.has(kind)).length;
  await world.primary.follow({});
}
