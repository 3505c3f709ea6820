import { performance } from 'node:perf_hooks';
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import { TransientFailure } from '#libs/errors';
import {
  Attempt,
  BreakerStrategy,
  CircuitBreaker as OurBreaker,
  Pipeline,
  type Policy,
  PolicyRegistry,
  systemClock,
} from '#libs/resilience';

/**
 * What policies cost, beside cockatiel and opossum, in one run. Every round measures each of them once, one after the
 * other, so that a noisy moment is noisy for all; the table shows medians of the rounds.
 */
const ROUNDS = 400;
/** Few enough for most rounds to pass without another process taking the processor away. */
const CALLS_PER_ROUND = 250;
const WARM_UP_CALLS = 20_000;

type Call = () => Promise<unknown>;

interface Candidate {
  name: string;
  call: Call;
  /** What it must not cost: wall time, and time of the processor, in µs a call. */
  goalUs?: number;
  goalCpuUs?: number;
  /** The goal is of what it costs beyond the bare await. */
  overBare?: boolean;
}

const answer = Promise.resolve(1);
const work = () => answer;

const registry = new PolicyRegistry();
const client = new AbortController().signal;
const CALL = {
  signal: client,
  operation: 'bench',
  idempotent: true,
  tenantId: 'tenant',
  priority: 'critical',
} as const;

const BREAKER = { attemptTimeoutMs: 10_000, breaker: {} };
const WHOLE = {
  attemptTimeoutMs: 10_000,
  retry: {},
  throttle: {},
  breaker: { slowCallMs: 5_000 },
  bulkhead: { concurrency: 32, queue: 64 },
};

const whole = registry.define('whole', WHOLE);
const opened = await openCircuit(
  registry.define('opened', { ...BREAKER, breaker: { openMs: 600_000, maxOpenMs: 600_000 } }),
);

const sampling = () => new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 });
const stockBreaker = circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: sampling() });
const stockWhole = wrap(
  retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
  circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: sampling() }),
  bulkhead(32, 64),
  timeout(10_000, TimeoutStrategy.Aggressive),
);
const stockOpened = circuitBreaker(handleAll, { halfOpenAfter: 600_000, breaker: new ConsecutiveBreaker(1) });
await stockOpened.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);

const opossum = new CircuitBreaker(work, { timeout: false });
const opossumWhole = new CircuitBreaker(work, { timeout: 10_000, capacity: 32 });
const opossumOpened = new CircuitBreaker(work, { timeout: false });
opossumOpened.open();

const candidates: Candidate[] = [
  { name: 'bare await', call: work },
  { name: 'our breaker, closed', call: breakerAlone(), goalUs: 0.6, overBare: true },
  { name: 'cockatiel breaker, closed', call: () => stockBreaker.execute(work) },
  { name: 'opossum, closed, no timeout', call: () => opossum.fire() },
  { name: 'our whole chain, abortable', call: () => whole.execute(work, CALL), goalUs: 5, goalCpuUs: 10 },
  { name: 'cockatiel wrap of the same', call: () => stockWhole.execute(work, client) },
  { name: 'opossum with timeout', call: () => opossumWhole.fire() },
  { name: 'our open circuit', call: () => opened.execute(work).catch(ignore), goalUs: 2 },
  { name: 'cockatiel open circuit', call: () => stockOpened.execute(work).catch(ignore) },
  { name: 'opossum open circuit', call: () => opossumOpened.fire().catch(ignore) },
];

for (const { call } of candidates) await run(call, WARM_UP_CALLS);
const measured = candidates.map((candidate) => ({ candidate, wallUs: [] as number[], cpuUs: 0 }));
for (let round = 0; round < ROUNDS; round++)
  for (const each of measured) {
    const { wall, cpu } = await run(each.candidate.call, CALLS_PER_ROUND);
    each.wallUs.push(wall);
    each.cpuUs += cpu / ROUNDS;
  }

const bareUs = median(measured[0]!.wallUs);
console.table(
  measured.map(({ candidate: { name, goalUs, goalCpuUs, overBare }, wallUs, cpuUs }) => {
    const wall = median(wallUs) - (overBare ? bareUs : 0);
    const kept =
      goalUs === undefined
        ? ''
        : wall <= goalUs && (goalCpuUs === undefined || cpuUs <= goalCpuUs)
          ? 'yes'
          : 'no';
    return {
      what: name,
      'µs a call': rounded(median(wallUs)),
      'over bare': rounded(median(wallUs) - bareUs),
      'CPU µs': rounded(cpuUs),
      fastest: rounded(Math.min(...wallUs)),
      goal: goalUs === undefined ? '' : `${goalUs}${goalCpuUs ? `, CPU ${goalCpuUs}` : ''}`,
      kept,
    };
  }),
);
console.log(
  `${ROUNDS} rounds of ${CALLS_PER_ROUND} calls each, interleaved; medians of the rounds, processor time of all.`,
);
registry.close();
opossum.shutdown();
opossumWhole.shutdown();
opossumOpened.shutdown();

/** One strategy and nothing else, as cockatiel's breaker is one policy and nothing else. */
function breakerAlone(): Call {
  const { breaker: options } = registry.define('breaker', BREAKER).describe().options;
  const breaker = new OurBreaker(options, { clock: systemClock, random: Math.random });
  const strategy = new BreakerStrategy('breaker', breaker, {
    clock: systemClock,
    outcomeOf: () => 'failure',
    probeTimeoutMs: () => 1_000,
  });
  const pipeline = new Pipeline('breaker', [strategy], () => systemClock.now());
  const call = { work, idempotent: false, priority: 'critical', isStream: false } as const;
  return () => pipeline.execute(new Attempt(call));
}

async function openCircuit(policy: Policy): Promise<Policy> {
  const fail = () => Promise.reject(new TransientFailure('down'));
  while (policy.state === 'closed') await policy.execute(fail).catch(ignore);
  return policy;
}

async function run(call: Call, calls: number): Promise<{ wall: number; cpu: number }> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  for (let i = 0; i < calls; i++) await call();
  const wall = ((performance.now() - before) * 1_000) / calls;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wall, cpu: (user + system) / calls };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function rounded(us: number): number {
  return Math.round(us * 100) / 100;
}

function ignore(): void {}
