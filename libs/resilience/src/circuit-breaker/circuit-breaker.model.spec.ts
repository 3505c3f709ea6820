import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseOptions } from '../options.js';
import type { Outcome } from '../policy-types.js';
import { CircuitBreaker, REFUSED } from './circuit-breaker.js';

const [WINDOW, BUCKET, MINIMUM, SLOW, OPEN, CAP, RESET, PROBE, SUCCESSES] = [
  10_000, 500, 4, 100, 1_000, 4_000, 6_000, 2_000, 2,
];
const OPTIONS = parseOptions('model', {
  attemptTimeoutMs: 10_000,
  breaker: {
    windowMs: WINDOW,
    minimumCalls: MINIMUM,
    slowCallMs: SLOW,
    openMs: OPEN,
    maxOpenMs: CAP,
    resetAfterMs: RESET,
    probeTimeoutMs: PROBE,
    successes: SUCCESSES,
    jitter: 0,
  },
}).breaker!;

/** What a breaker is, said as plainly as possible: it remembers everything and counts anew each time. */
class Model {
  now = 0;
  state: 'closed' | 'open' | 'half-open' | 'isolated' = 'closed';
  era = 0;
  calls: { at: number; failed: boolean; slow: boolean }[] = [];
  openUntil = 0;
  probeUntil = 0;
  successes = 0;
  openings = -1;
  closedAt = -Infinity;

  get window() {
    const newest = Math.floor(this.now / BUCKET);
    return this.calls.filter(({ at }) => Math.floor(at / BUCKET) > newest - WINDOW / BUCKET);
  }
  enter(state: Model['state']) {
    Object.assign(this, { state, era: this.era + 1, probeUntil: 0, successes: 0 });
  }
  close() {
    if (this.state === 'closed') return;
    this.enter('closed');
    this.closedAt = this.now;
    this.calls = [];
  }
  open() {
    const rested = this.state === 'closed' && this.now - this.closedAt >= RESET;
    this.openings = rested ? 0 : this.openings + 1;
    this.enter('open');
    this.openUntil = this.now + Math.min(CAP, OPEN * 2 ** this.openings);
  }
  acquire(): number {
    if (this.state === 'closed') return this.era;
    if (this.state === 'open' && this.now >= this.openUntil) this.enter('half-open');
    if (this.state !== 'half-open' || this.now < this.probeUntil) return REFUSED;
    this.probeUntil = this.now + PROBE;
    return ++this.era;
  }
  record(era: number, outcome: Outcome, ms: number) {
    if (era !== this.era || this.state === 'open' || this.state === 'isolated') return;
    if (this.state === 'half-open') this.probeUntil = 0;
    if (outcome === 'ignored' || outcome === 'overload') return;
    const failed = outcome === 'failure' || outcome === 'fatal';
    if (this.state === 'half-open') {
      if (failed || ms >= SLOW) this.open();
      else if (++this.successes === SUCCESSES) this.close();
      return;
    }
    this.calls.push({ at: this.now, failed, slow: ms >= SLOW });
    const share = (of: 'failed' | 'slow') => this.window.filter((one) => one[of]).length / this.window.length;
    const enough = this.window.length >= MINIMUM;
    if (outcome === 'fatal' || (enough && (share('failed') >= 0.5 || share('slow') >= 0.8))) this.open();
  }
}

interface Real {
  breaker: CircuitBreaker;
  permits: { real: number; model: number }[];
}

class Step implements fc.Command<Model, Real> {
  constructor(
    private readonly name: string,
    private readonly act: (model: Model, real: Real) => void,
  ) {}
  check = () => true;
  toString = () => this.name;
  run(model: Model, real: Real) {
    this.act(model, real);
    const { breaker } = real;
    const { window } = model;
    const seen = { state: breaker.state, ...breaker.counts(), openForMs: 0 };
    if (seen.state === 'open') seen.openForMs = breaker.retryAfterMs;
    assert.deepStrictEqual(seen, {
      state: model.state,
      calls: window.length,
      failures: window.filter(({ failed }) => failed).length,
      slow: window.filter(({ slow }) => slow).length,
      openForMs: model.state === 'open' ? Math.max(0, model.openUntil - model.now) : 0,
    });
  }
}

const OUTCOMES: Outcome[] = ['success', 'failure', 'failure', 'fatal', 'overload', 'ignored'];

const commands = [
  fc.constant(
    new Step('acquire', (model, { breaker, permits }) => {
      const refusing = breaker.isRefusing;
      const permit = { real: breaker.acquire(), model: model.acquire() };
      assert.equal(permit.real === REFUSED, permit.model === REFUSED);
      assert.equal(refusing, permit.real === REFUSED);
      if (permit.real !== REFUSED) permits.push(permit);
    }),
  ),
  fc.tuple(fc.nat(50), fc.constantFrom(...OUTCOMES), fc.constantFrom(1, 99, 100, 5_000)).map(
    ([index, outcome, ms]) =>
      new Step(`end(${index}, ${outcome}, ${ms})`, (model, { breaker, permits }) => {
        const [permit] = permits.splice(index % Math.max(1, permits.length), 1);
        if (!permit) return;
        breaker.record(permit.real, outcome, ms);
        model.record(permit.model, outcome, ms);
      }),
  ),
  fc
    .tuple(fc.constantFrom('success', 'failure') as fc.Arbitrary<Outcome>, fc.integer({ min: 1, max: 6 }))
    .map(
      ([outcome, times]) =>
        new Step(`calls(${outcome}, ${times})`, (model, { breaker }) => {
          for (let i = 0; i < times; i++) {
            breaker.record(breaker.acquire(), outcome, 1);
            model.record(model.acquire(), outcome, 1);
          }
        }),
    ),
  fc
    .constantFrom(1, 250, 499, 500, 1_000, 1_999, 2_000, 4_000, 9_750, 60_000)
    .map((ms) => new Step(`pass(${ms})`, (model) => (model.now += ms))),
  fc.constant(
    new Step('close', (model, { breaker }) => {
      if (model.state !== 'isolated') model.close();
      breaker.close();
    }),
  ),
  fc.constant(
    new Step('isolate', (model, { breaker }) => {
      model.enter('isolated');
      model.calls = [];
      breaker.setMode('isolated');
    }),
  ),
  fc.constant(
    new Step('lift', (model, { breaker }) => {
      if (model.state !== 'isolated') return;
      model.enter('closed');
      breaker.setMode(undefined);
    }),
  ),
];

describe('CircuitBreaker against its model', () => {
  it('does what the model does, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 60 }), (steps) => {
        const model = new Model();
        const clock = { now: () => model.now, after: () => () => undefined };
        const breaker = new CircuitBreaker(OPTIONS, { clock, random: () => 0.5 });
        fc.modelRun(() => ({ model, real: { breaker, permits: [] } }), steps);
      }),
      { numRuns: 2_000 },
    );
  });
});
