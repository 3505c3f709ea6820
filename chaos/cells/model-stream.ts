import type { Reply } from '../../test/support/fake-model-server.js';
import { type Cell, type Expectation, expectThat } from '../cell.js';
import type { Evidence } from '../evidence.js';
import { until } from '../harness/until.js';
import { PRIMARY_MODEL } from '../harness/program-environment.js';
import { PLAIN } from '../harness/world.js';
import type { Level } from '../load/history.js';
import { answeredAtLeast } from './bounds.js';
import { watchPolicy } from './watch.js';

const MINIMAL: readonly Level[] = ['full', 'degraded', 'minimal'];
const WITH_FAILURES: readonly Level[] = [...MINIMAL, 'unavailable'];
/** The first sentence stands in every document, so that it is given out before the rest goes wrong. */
const TEXT = ['It is said: "A referral is needed within" [1]. ', 'There ', 'is ', 'more ', 'to ', 'say.'];
const AFTER_FIRST_SENTENCE = 2;
/** 50 MB pass through; what is kept of them must be little. */
const MEMORY_BYTES = 20 * 1_048_576;

const broken = (reply: Reply): Pick<Cell, 'begin' | 'heal'> => ({
  begin: ({ world }) =>
    world.primary.follow({ chat: [{ text: TEXT, afterPieces: AFTER_FIRST_SENTENCE, ...reply }] }),
  heal: ({ world }) => world.primary.follow({}),
});

const stream = (cell: Omit<Cell, 'dependency' | 'recoverWithinMs' | 'setUp'> & Partial<Cell>): Cell => ({
  dependency: 'chat model',
  recoverWithinMs: 10_000,
  setUp: PLAIN,
  ...cell,
});

/** Streams that had begun end with an error that says so; questions for the whole answer get it from the documents. */
function endsHonestly(evidence: Evidence): Expectation[] {
  const streams = evidence.during('stream');
  const interrupted = streams.filter(({ outcome }) => outcome === 'fail');
  const marked = interrupted.filter(
    ({ detail }) => detail?.['partial'] === true && detail['retryable'] === true,
  );
  const fallen = streams.filter(({ outcome, level }) => outcome === 'ok' && level !== 'full');
  const whole = [...evidence.during('question'), ...evidence.during('repeated')];
  return [
    expectThat(
      streams.length > 0 &&
        marked.length === interrupted.length &&
        marked.length + fallen.length === streams.length,
      `of ${streams.length} streams ${marked.length} ended with a partial, retryable error and ${fallen.length} fell back in full, others 0`,
    ),
    answeredAtLeast(0.999, whole, 'questions for the whole answer'),
  ];
}

/** What a stream was cut off at is kept and marked. */
async function keptPartials(evidence: Evidence, cell: { world: import('../harness/world.js').World }) {
  const ids = evidence
    .during('stream')
    .filter(({ outcome }) => outcome === 'fail')
    .map(({ detail }) => detail?.['turn_id'])
    .filter((id) => typeof id === 'string');
  const rows = await cell.world.postgres.sql<{ status: string; count: number }>(
    `select status, count(*)::int as count from turn where id = any($1::uuid[]) group by status`,
    [ids],
  );
  const failed = rows.find(({ status }) => status === 'failed')?.count ?? 0;
  return expectThat(
    failed === ids.length,
    `${failed} of ${ids.length} interrupted answers are kept as failed`,
  );
}

export const streamCells: readonly Cell[] = [
  stream({
    id: 'F27',
    fault: 'drips: one word in ten seconds',
    setUp: { ...PLAIN, environment: { CHAT_TOTAL_TIMEOUT_MS: '15000' } },
    seconds: 30,
    ...broken({ gapMs: 10_000 }),
    // It is over when the answers that drip have ended too.
    async heal({ world, history }) {
      await world.primary.follow({});
      history.phase = 'recovery';
      await until(async () => (await world.primary.stats()).underWay === 0, 20_000);
    },
    during: (play) => watchPolicy(play, `model:${PRIMARY_MODEL}`),
    levels: WITH_FAILURES,
    expects: (evidence) => endsHonestly(evidence),
  }),
  stream({
    id: 'F28',
    fault: 'cuts the connection in the middle of the answer',
    seconds: 15,
    ...broken({ failure: 'cut' }),
    levels: WITH_FAILURES,
    expects: async (evidence, play) => [...endsHonestly(evidence), await keptPartials(evidence, play)],
  }),
  stream({
    id: 'F29',
    fault: 'ends without saying that it finished',
    seconds: 15,
    ...broken({ failure: 'truncate' }),
    levels: WITH_FAILURES,
    expects: (evidence) => endsHonestly(evidence),
  }),
  stream({
    id: 'F30',
    fault: 'sends what is neither JSON nor UTF-8',
    seconds: 20,
    begin: ({ world }) =>
      world.primary.follow({
        seed: 5,
        chat: [
          { share: 0.5, text: TEXT, afterPieces: AFTER_FIRST_SENTENCE, failure: 'garbage' },
          { text: TEXT, afterPieces: 0, failure: 'invalid-utf8' },
        ],
      }),
    heal: ({ world }) => world.primary.follow({}),
    levels: WITH_FAILURES,
    without: { amplification: 'what began with garbage is asked for once more' },
    expects: (evidence, { world }) => [
      expectThat(
        world.replicas.every(({ isRunning }) => isRunning),
        'the process is alive',
      ),
      answeredAtLeast(
        0.999,
        [...evidence.during('question'), ...evidence.during('repeated')],
        'questions for the whole answer',
      ),
    ],
  }),
  stream({
    id: 'F31',
    fault: 'does not stop: 50 MB for every answer',
    seconds: 20,
    // Few calls, and only once the process has grown to what the load alone makes of it.
    perSecond: 3,
    steadySeconds: 30,
    ...broken({ failure: 'endless' }),
    levels: MINIMAL,
    async during(play) {
      const before = await play.world.replica.memory();
      await watchPolicy(play, `model:${PRIMARY_MODEL}`);
      play.notes['grownBytes'] = (await play.world.replica.memory()) - before;
    },
    expects: (evidence, { notes }) => [
      expectThat(
        notes['grownBytes']! < MEMORY_BYTES,
        `the process grew by ${(notes['grownBytes']! / 1_048_576).toFixed(0)} MB (bound 20 MB)`,
      ),
      answeredAtLeast(0.999, evidence.questions),
    ],
  }),
];
