import type { Reply } from '../../test/support/fake-model-server.js';
import { type Cell, type Expectation, expectThat, type Play } from '../cell.js';
import type { Evidence } from '../evidence.js';
import { PRIMARY_MODEL } from '../harness/program-environment.js';
import { PLAIN, type SetUp } from '../harness/world.js';
import type { Level } from '../load/history.js';
import { answeredAtLeast, lateOnes, levelAtLeast, percentileAtMost, slowestAtMost } from './bounds.js';
import { openedWithin, stayedClosed, watchPolicy } from './watch.js';

const POLICY = `model:${PRIMARY_MODEL}`;
const TWO_MODELS: SetUp = { ...PLAIN, models: 'two' };

/** The first model fails in this way; its list of models, which probes ask for, does as well when it is `gone`. */
function failing(reply: Reply & { share?: number }, { gone = false } = {}): Pick<Cell, 'begin' | 'heal'> {
  return {
    begin: ({ world }) =>
      world.primary.follow({
        seed: 11,
        chat: [reply],
        ...(gone ? { models: [{ failure: reply.failure === 'hang' ? 'hang' : 'status' }] } : {}),
      }),
    heal: ({ world }) => world.primary.follow({}),
  };
}

const model = (cell: Omit<Cell, 'dependency' | 'recoverWithinMs'> & { recoverWithinMs?: number }): Cell => ({
  dependency: 'chat model',
  recoverWithinMs: 10_000,
  ...cell,
});

const MINIMAL: readonly Level[] = ['full', 'degraded', 'minimal'];
const DEGRADED: readonly Level[] = ['full', 'degraded'];

/** No call within the time that the model asked for, after those that were under way had their answer. */
async function waited(ms: number, evidence: Evidence, { world }: Play): Promise<Expectation> {
  const { times } = await world.primary.stats();
  const from = evidence.brokenDate.getTime();
  const calls = times.chat.filter((at) => at >= from && at < evidence.healedDate.getTime());
  const early = calls.filter((at) => calls.some((before) => at - before > UNDER_WAY_MS && at - before < ms));
  return expectThat(
    calls.length > 0 && early.length === 0,
    `${early.length} of ${calls.length} calls came before the ${ms / 1_000} s were over (bound 0)`,
  );
}
const UNDER_WAY_MS = 500;

function callsPerQuestion(most: number, evidence: Evidence): Expectation {
  const asked = evidence.all.filter(
    ({ kind, phase, servedBy }) =>
      phase === 'fault' && /question|repeated|stream/.test(kind) && servedBy !== 'cache',
  ).length;
  const { duringCalls } = evidence;
  return expectThat(
    duringCalls <= most * asked,
    `${duringCalls} calls to the model for ${asked} questions: ${(duringCalls / (asked || 1)).toFixed(2)} each (bound ${most})`,
  );
}

export const modelCells: readonly Cell[] = [
  model({
    id: 'F22',
    fault: '429 with Retry-After: 7',
    setUp: TWO_MODELS,
    seconds: 21,
    ...failing({ failure: 'status', status: 429, retryAfter: '7', code: 'rate_limit_exceeded' }),
    during: (play) => watchPolicy(play, POLICY),
    levels: DEGRADED,
    expects: async (evidence, play) => [
      answeredAtLeast(0.999, evidence.questions),
      await waited(7_000, evidence, play),
      stayedClosed(play),
    ],
  }),
  model({
    id: 'F23',
    fault: '429 without Retry-After, to every call',
    setUp: TWO_MODELS,
    seconds: 20,
    ...failing({ failure: 'status', status: 429, code: 'rate_limit_exceeded' }),
    during: (play) => watchPolicy(play, POLICY),
    levels: DEGRADED,
    expects: (evidence, play) => [
      answeredAtLeast(0.999, evidence.questions),
      callsPerQuestion(1.1, evidence),
      stayedClosed(play),
    ],
  }),
  model({
    id: 'F24',
    fault: 'gone: 500 to every call',
    setUp: PLAIN,
    seconds: 20,
    ...failing({ failure: 'status', status: 500 }, { gone: true }),
    during: (play) => watchPolicy(play, POLICY),
    levels: MINIMAL,
    alerts: true,
    expects: (evidence, play) => [
      openedWithin(10, 2_000, play),
      answeredAtLeast(0.999, evidence.questions),
      slowestAtMost(2_000, evidence.questions, 'answers'),
      percentileAtMost(0.95, 300, lateOnes(evidence.questions), 'answers once open'),
      levelAtLeast('minimal', 0.99, lateOnes(evidence.questions)),
    ],
  }),
  model({
    id: 'F25',
    fault: '500 to 30 % of the calls',
    setUp: TWO_MODELS,
    seconds: 30,
    ...failing({ failure: 'status', status: 500, share: 0.3 }),
    levels: DEGRADED,
    expects: (evidence) => [answeredAtLeast(0.995, evidence.questions), callsPerQuestion(1.2, evidence)],
  }),
  model({
    id: 'F26',
    fault: 'hangs before its first byte',
    setUp: PLAIN,
    seconds: 40,
    ...failing({ failure: 'hang' }, { gone: true }),
    during: (play) => watchPolicy(play, POLICY),
    levels: MINIMAL,
    expects: (evidence, play) => [
      answeredAtLeast(0.999, evidence.questions),
      slowestAtMost(11_000, evidence.questions, 'answers'),
      percentileAtMost(0.95, 300, lateOnes(evidence.questions), 'answers once open'),
      expectThat(play.notes['openedAfterMs'] !== undefined, 'the circuit opened'),
    ],
  }),
  model({
    id: 'F32',
    fault: '401: the key was revoked',
    setUp: PLAIN,
    seconds: 15,
    ...failing({ failure: 'status', status: 401, code: 'invalid_api_key' }, { gone: true }),
    during: (play) => watchPolicy(play, POLICY),
    levels: MINIMAL,
    alerts: true,
    expects: (evidence, play) => [
      openedWithin(3, 1_000, play),
      answeredAtLeast(0.999, evidence.questions),
      percentileAtMost(0.95, 300, lateOnes(evidence.questions), 'answers once open'),
    ],
  }),
  model({
    id: 'F33',
    fault: '400 context_length_exceeded to prompts of more than four passages',
    setUp: PLAIN,
    seconds: 15,
    begin: ({ world }) =>
      world.primary.follow({
        chat: [
          { failure: 'status', status: 400, code: 'context_length_exceeded', containing: 'number=\\"5\\"' },
        ],
      }),
    heal: ({ world }) => world.primary.follow({}),
    during: (play) => watchPolicy(play, POLICY),
    levels: ['full'],
    // Every question is asked twice, which is the point.
    without: { amplification: 'a prompt that is too long is sent again, shorter' },
    expects: (evidence, play) => [
      answeredAtLeast(0.999, evidence.questions),
      levelAtLeast('full', 0.99, evidence.questions),
      stayedClosed(play),
    ],
  }),
];
