import { setTimeout as delay } from 'node:timers/promises';
import { redisInstalled } from '../../test/support/redis.js';
import { type Cell, expectThat, type Play } from '../cell.js';
import { durations, percentile } from '../evidence.js';
import { PLAIN, type SetUp } from '../harness/world.js';
import { newQuestion } from '../load/operations.js';
import { seeded } from '../harness/random.js';
import { answeredAtLeast } from './bounds.js';

const WITH_REDIS: SetUp = { ...PLAIN, redis: true };
const SEARCHES_A_MINUTE = 60;
const SAME_QUESTIONS = 20;

const cache = (cell: Omit<Cell, 'dependency' | 'setUp' | 'recoverWithinMs'> & Partial<Cell>): Cell => ({
  dependency: 'Redis',
  setUp: WITH_REDIS,
  recoverWithinMs: 5_000,
  impossible: () => (redisInstalled ? undefined : 'redis-server is not installed'),
  ...cell,
});

export const cacheCells: readonly Cell[] = [
  cache({
    id: 'F17',
    fault: 'killed by SIGKILL and away for 20 s',
    seconds: 20,
    begin: ({ world }) => world.redis!.kill(),
    heal: ({ world }) => world.redis!.start(),
    levels: ['full', 'degraded'],
    expects: (evidence) => [answeredAtLeast(0.999, evidence.during(), 'requests')],
  }),
  cache({
    id: 'F18',
    fault: 'every round trip takes 2 s longer',
    seconds: 20,
    steadySeconds: 12,
    begin: ({ world }) => world.redisProxy!.inject({ toServer: { latencyMs: 2_000 } }),
    heal: ({ world }) => world.redisProxy!.heal(),
    levels: ['full'],
    expects: (evidence) => {
      const before = percentile(durations(evidence.steady('repeated')), 0.99);
      const during = percentile(durations(evidence.during('repeated')), 0.99);
      return [
        answeredAtLeast(0.999, evidence.during(), 'requests'),
        expectThat(
          during - before <= 60,
          `p99 of questions asked before: ${before.toFixed(0)} ms, then ${during.toFixed(0)} ms (bound +60 ms)`,
        ),
      ];
    },
  }),
  cache({
    id: 'F19',
    fault: 'values are cut, of another type, or those of another tenant',
    // What a process keeps in memory hides what is in Redis; another process reads it there.
    setUp: { ...WITH_REDIS, replicas: 2 },
    seconds: 20,
    begin: ({ world }) => poison(world.redis!),
    async during({ world, cell, notes }) {
      notes['poisoned'] = 0;
      for (let second = 0; second < cell.seconds; second++) {
        notes['poisoned'] += await poison(world.redis!);
        await delay(1_000);
      }
    },
    heal: () => Promise.resolve(),
    levels: ['full'],
    expects: (evidence, { notes }) => [
      expectThat(notes['poisoned']! > 0, `${notes['poisoned']} values were spoilt`),
      answeredAtLeast(1, evidence.during(), 'requests'),
    ],
  }),
  cache({
    id: 'F20',
    fault: 'out of memory: takes no more values, and the same is asked by many at once',
    seconds: 20,
    async begin({ world }) {
      await world.redis!.cli.config('SET', 'maxmemory', '1mb');
    },
    async during(play) {
      await askTogether(play);
      await delay(play.cell.seconds * 1_000);
    },
    async heal({ world }) {
      await world.redis!.cli.config('SET', 'maxmemory', '0');
    },
    levels: ['full'],
    expects: (evidence, { notes }) => [
      answeredAtLeast(0.999, evidence.during(), 'requests'),
      expectThat(
        notes['prompts'] === 1,
        `${notes['prompts']} calls to the model for ${SAME_QUESTIONS} equal questions at once (bound 1)`,
      ),
    ],
  }),
  cache({
    id: 'F21',
    fault: 'flushed every second, while one tenant asks for more than its quota',
    setUp: { ...WITH_REDIS, environment: { RATE_SEARCH_PER_MINUTE: String(SEARCHES_A_MINUTE) } },
    seconds: 20,
    begin: () => Promise.resolve(),
    during: flushAndFlood,
    heal: () => Promise.resolve(),
    levels: ['full'],
    expects: (evidence, { notes }) => [
      answeredAtLeast(0.999, evidence.questions),
      expectThat(
        notes['accepted']! <= 2 * SEARCHES_A_MINUTE && notes['accepted']! < notes['sent']!,
        `${notes['accepted']} of ${notes['sent']} searches accepted (quota ${SEARCHES_A_MINUTE} a minute, bound twice that)`,
      ),
    ],
  }),
];

type Redis = NonNullable<Play['world']['redis']>;

/** Cuts every third value, makes a list of every third, and exchanges the others. Returns how many there were. */
async function poison({ cli }: Redis): Promise<number> {
  const values: { key: string; value: Buffer }[] = [];
  for (const key of await cli.keys('*')) {
    const value = (await cli.type(key)) === 'string' ? await cli.getBuffer(key) : null;
    if (value) values.push({ key, value });
  }
  for (const [i, { key, value }] of values.entries()) {
    if (i % 3 === 0) await cli.set(key, value.subarray(0, value.length / 2), 'KEEPTTL');
    else if (i % 3 === 1) await cli.multi().del(key).rpush(key, 'not', 'a', 'value').exec();
    else await cli.set(key, values[(i + 3) % values.length]!.value, 'KEEPTTL');
  }
  return values.length;
}

async function askTogether({ world, client, notes }: Play): Promise<void> {
  const call = newQuestion(world.tenants[0]!, seeded(1));
  const text = `What is paid for a hearing aid, all ${SAME_QUESTIONS} of us ask?`;
  const same = { ...call, kind: 'same', json: { ...call.json, question: text } };
  await Promise.all(Array.from({ length: SAME_QUESTIONS }, () => client.send(same)));
  const calls = await world.primary.calls();
  notes['prompts'] = calls.filter(({ body }) => JSON.stringify(body.messages).includes(text)).length;
}

async function flushAndFlood({ world, client, notes, cell }: Play): Promise<void> {
  const tenant = world.tenants[0]!;
  notes['accepted'] = notes['sent'] = 0;
  for (let second = 0; second < cell.seconds; second++) {
    await world.redis!.cli.flushall();
    const calls = Array.from({ length: 15 }, () =>
      client.send({ kind: 'flood', tenant, path: '/v1/search', json: { query: 'physiotherapy', limit: 1 } }),
    );
    const received = await Promise.all(calls);
    notes['sent'] += received.length;
    notes['accepted'] += received.filter(({ operation }) => operation.outcome === 'ok').length;
    await delay(700);
  }
}
