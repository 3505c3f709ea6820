import { setTimeout as delay } from 'node:timers/promises';
import { redisInstalled } from '../../test/support/redis.js';
import { type Cell, expectThat, type Play } from '../cell.js';
import { durations, type Evidence, percentile } from '../evidence.js';
import { pick, seeded } from '../harness/random.js';
import { PLAIN } from '../harness/world.js';
import { BackgroundLoad } from '../load/background-load.js';
import type { Level, Operation } from '../load/history.js';
import { newQuestion, writeConversation } from '../load/operations.js';
import { answeredAtLeast, percentileAtMost } from './bounds.js';
import { brokenCommits } from './postgres.js';

const ASKERS = 6;
/** What the first questions of an outage take is another cell's business; by then every circuit is open. */
const OPEN_BY_MS = 5_000;
const ANY_LEVEL: readonly Level[] = ['full', 'degraded', 'minimal', 'unavailable'];

/** Thousands of questions while one dependency is away. */
export function outageProofs(questions: number): Cell[] {
  const outage = (
    cell: Pick<Cell, 'id' | 'dependency' | 'begin' | 'heal' | 'levels'> & Partial<Cell>,
  ): Cell => ({
    fault: `away while ${questions} questions are asked`,
    setUp: { ...PLAIN, redis: redisInstalled },
    seconds: 0,
    during: (play) => askMany(play, questions),
    recoverWithinMs: 10_000,
    expects: (evidence) => {
      const asked = evidence.questions;
      const open = asked.filter(({ startedAt }) => startedAt > asked[0]!.startedAt + OPEN_BY_MS);
      return [
        expectThat(asked.length >= questions, `${asked.length} questions asked (bound ${questions})`),
        answeredAtLeast(0.999, asked),
        percentileAtMost(0.95, 300, open, 'answers once open'),
      ];
    },
    ...cell,
  });
  return [
    outage({
      id: 'Q1',
      dependency: 'chat model',
      begin: ({ world }) =>
        world.primary.follow({
          chat: [{ failure: 'status', status: 500 }],
          models: [{ failure: 'status' }],
        }),
      heal: ({ world }) => world.primary.follow({}),
      levels: ['full', 'degraded', 'minimal'],
    }),
    outage({
      id: 'Q2',
      dependency: 'embedder',
      begin: ({ world }) =>
        world.second.follow({
          embeddings: [{ failure: 'status', status: 500 }],
          models: [{ failure: 'status' }],
        }),
      heal: ({ world }) => world.second.follow({}),
      levels: ['full', 'degraded'],
    }),
    outage({
      id: 'Q3',
      dependency: 'Redis',
      impossible: () => (redisInstalled ? undefined : 'redis-server is not installed'),
      begin: ({ world }) => world.redis!.kill(),
      heal: ({ world }) => world.redis!.start(),
      recoverWithinMs: 5_000,
      levels: ['full'],
    }),
  ];
}

/** The server is killed again and again, while more is written than otherwise. */
export const killProof = (kills: number): Cell => ({
  id: 'K1',
  dependency: 'PostgreSQL',
  fault: `killed by SIGKILL ${kills} times and started again at once`,
  setUp: PLAIN,
  seconds: 0,
  begin: () => Promise.resolve(),
  during: (play) => killAgain(play, kills),
  heal: () => Promise.resolve(),
  levels: ANY_LEVEL,
  recoverWithinMs: 5_000,
  expects: (evidence, { notes }) => {
    const writes = evidence.during('conversation').filter(({ outcome }) => outcome === 'ok');
    return [
      expectThat(notes['kills'] === kills, `${notes['kills']} kills (bound ${kills})`),
      expectThat(writes.length > 0, `${writes.length} writes acknowledged meanwhile`),
    ];
  },
});

/** Half a second for each, several times what one takes. */
const COMMIT_SECONDS = 0.5;

/** The same as the cell of broken commits, over many more. */
export const commitProof = (times: number): Cell => ({
  id: 'C1',
  dependency: 'PostgreSQL',
  setUp: PLAIN,
  seconds: times * COMMIT_SECONDS,
  ...brokenCommits(times),
});

/** A provider that fails in every way at once, and only sometimes. */
export const flakyProof = (questions: number): Cell => ({
  id: 'P11',
  dependency: 'chat model',
  fault: `20 % 500, 5 % 429, 1 % hangs and 1 % resets over ${questions} questions`,
  setUp: PLAIN,
  seconds: 0,
  begin: ({ world }) =>
    world.primary.follow({
      seed: 11,
      // A share is one of the calls that the rules before have left.
      chat: [
        { failure: 'status', status: 500, share: 0.2 },
        { failure: 'status', status: 429, share: 0.05 / 0.8 },
        { failure: 'hang', share: 0.01 / 0.75 },
        { failure: 'reset', share: 0.01 / 0.74 },
      ],
    }),
  during: (play) => askMany(play, questions),
  heal: ({ world }) => world.primary.follow({}),
  levels: ['full', 'degraded', 'minimal'],
  recoverWithinMs: 10_000,
  without: { amplification: 'has a bound of its own here' },
  expects: (evidence) => {
    const asked = evidence.questions.filter(({ servedBy }) => servedBy !== 'cache').length;
    const ratio = evidence.duringCalls / asked;
    return [
      answeredAtLeast(0.995, evidence.questions),
      expectThat(ratio <= 1.5, `${ratio.toFixed(2)} calls to the model for each question (bound 1.5)`),
      sharesOf(evidence),
    ];
  },
});

/** Not a bound: what the levels were. */
function sharesOf(evidence: Evidence) {
  const shares = Object.entries(Object.groupBy(evidence.questions, levelName)).map(
    ([level, list]) => `${list!.length} ${level}`,
  );
  const p95 = percentile(durations(evidence.questions), 0.95);
  return expectThat(true, `${shares.join(', ')}; p95 ${p95.toFixed(0)} ms`);
}

const levelName = ({ outcome, level }: Operation) => (outcome === 'ok' ? (level ?? 'full') : 'unanswered');

/** As fast as the answers come, by a few at once. */
async function askMany({ client, world }: Play, questions: number): Promise<void> {
  let left = questions;
  const ask = async (asker: number) => {
    const random = seeded(asker);
    while (left-- > 0) await client.send(newQuestion(pick(random, world.tenants), random));
  };
  await Promise.all(Array.from({ length: ASKERS }, (_, i) => ask(i)));
}

async function killAgain({ world, client, notes }: Play, kills: number): Promise<void> {
  const random = seeded(50);
  const more = new BackgroundLoad(client, world.tenants, { perSecond: 15, seed: 4, make: writeConversation });
  for (notes['kills'] = 0; notes['kills'] < kills; notes['kills']++) {
    await delay(500 + random() * 2_500);
    await world.postgres.kill();
    await world.postgres.startAgain();
  }
  await more.stop(30_000);
}
