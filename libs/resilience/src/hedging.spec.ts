import { TransientFailure } from '#libs/errors';
import { settled, VirtualClock } from '../../../test/support/virtual-clock.js';
import { hedged, HedgeBudget, type HedgeOptions } from './hedging.js';

/** A dependency whose calls end when the test says so. */
function scripted(options: Partial<HedgeOptions> = {}) {
  const clock = new VirtualClock();
  const calls: { resolve(value: string): void; reject(error: Error): void; signal: AbortSignal }[] = [];
  const call = (signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    calls.push({ resolve, reject, signal });
    return promise;
  };
  const budget = new HedgeBudget(1);
  return { clock, calls, ask: () => hedged(call, { afterMs: 50, budget, clock, ...options }) };
}

describe('a hedged call', () => {
  it('is made once when it is fast', async () => {
    const { clock, calls, ask } = scripted();
    const answer = ask();
    await clock.advance(49);
    calls[0]!.resolve('fast');
    await expect(answer).resolves.toBe('fast');
    expect(calls).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['second', 1],
    ['first', 0],
  ])('is made twice when it is slow; the %s may win, and the other is aborted', async (_, winner) => {
    let hedges = 0;
    const { clock, calls, ask } = scripted({ onHedge: () => hedges++ });
    const answer = ask();
    await clock.advance(50);
    expect([calls.length, hedges]).toEqual([2, 1]);
    calls[winner]!.resolve('won');
    await expect(answer).resolves.toBe('won');
    expect(calls[winner]!.signal.aborted).toBe(false);
    expect(calls[1 - winner]!.signal.aborted).toBe(true);
  });

  it('waits for the other when one fails, and throws the first error when both do', async () => {
    const one = scripted();
    const answer = one.ask();
    await one.clock.advance(50);
    one.calls[0]!.reject(new TransientFailure('first'));
    await settled();
    one.calls[1]!.resolve('second');
    await expect(answer).resolves.toBe('second');

    const both = scripted();
    const nothing = both.ask();
    await both.clock.advance(50);
    both.calls[1]!.reject(new TransientFailure('second'));
    await settled();
    both.calls[0]!.reject(new TransientFailure('first'));
    await expect(nothing).rejects.toThrow('first');
  });

  it('fails at once when it fails before it is slow: trying again is not its business', async () => {
    const { clock, calls, ask } = scripted();
    const answer = ask();
    calls[0]!.reject(new TransientFailure('503'));
    await expect(answer).rejects.toThrow('503');
    await clock.advance(100);
    expect(calls).toHaveLength(1);
  });

  it('fails when the call throws before it returns a promise', async () => {
    const { clock } = scripted();
    const broken = () => {
      throw new TypeError('bug');
    };
    await expect(hedged(broken, { afterMs: 50, budget: new HedgeBudget(1), clock })).rejects.toThrow('bug');
    expect(clock.pending).toBe(0);
  });

  it('is made once while that is not allowed, or nothing is known of its latency', async () => {
    for (const options of [{ allowed: () => false }, { afterMs: undefined }, { afterMs: Infinity }]) {
      const { clock, calls, ask } = scripted(options);
      const answer = ask();
      await clock.advance(100_000);
      expect(calls).toHaveLength(1);
      calls[0]!.resolve('slow');
      await expect(answer).resolves.toBe('slow');
    }
  });

  it('ends both when the caller leaves', async () => {
    const client = new AbortController();
    const { clock, calls, ask } = scripted({ signal: client.signal });
    const answer = ask();
    await clock.advance(50);
    const left = new Error('left');
    client.abort(left);
    await expect(answer).rejects.toBe(left);
    expect(calls.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('is not made a second time for a caller who has left', async () => {
    const client = new AbortController();
    let calls = 0;
    const deaf = () => new Promise<never>(() => calls++);
    const clock = new VirtualClock();
    void hedged(deaf, { afterMs: 50, budget: new HedgeBudget(1), clock, signal: client.signal });
    client.abort();
    await clock.advance(100);
    expect(calls).toBe(1);
  });
});

describe('the budget of hedges', () => {
  it('is a share of all calls', () => {
    const budget = new HedgeBudget(0.05);
    let spent = 0;
    for (let i = 0; i < 1_000; i++) {
      budget.earn();
      if (budget.spend()) spent++;
    }
    expect(spent).toBeGreaterThanOrEqual(49);
    expect(spent).toBeLessThanOrEqual(51);
  });

  it('saves up no burst', () => {
    const budget = new HedgeBudget(0.05);
    for (let i = 0; i < 10_000; i++) budget.earn();
    let burst = 0;
    while (budget.spend()) burst++;
    expect(burst).toBe(5);
  });

  it('takes a new share while it is used', () => {
    const budget = new HedgeBudget(0);
    expect(budget.spend()).toBe(true);
    budget.earn();
    expect(budget.spend()).toBe(false);
    budget.update(1);
    budget.earn();
    expect(budget.spend()).toBe(true);
  });
});
