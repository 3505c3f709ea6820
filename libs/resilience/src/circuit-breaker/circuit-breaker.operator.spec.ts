import { BreakerWorld, call, openNow, optionsWith } from '../../../../test/support/breaker-world.js';
import { CircuitBreaker, REFUSED } from './circuit-breaker.js';

describe('CircuitBreaker and its operator', () => {
  let world: BreakerWorld;
  beforeEach(() => {
    world = new BreakerWorld();
  });

  describe('under an override', () => {
    it('lets nothing through while isolated, tells until when, and begins anew afterwards', async () => {
      const breaker = world.breakerWith();
      call(breaker, 'failure', { times: 9 });
      const before = breaker.acquire();
      await world.clock.advance(1_000);
      breaker.setMode('isolated', world.clock.now() + 60_000);
      expect(breaker.state).toBe('isolated');
      expect(breaker.isRefusing).toBe(true);
      expect(breaker.acquire()).toBe(REFUSED);
      expect(breaker.retryAfterMs).toBe(60_000);
      breaker.setMode(undefined);
      expect(breaker.state).toBe('closed');
      breaker.record(before, 'failure', 1);
      expect(breaker.counts().calls).toBe(0);
    });

    it('lets everything through and counts nothing while disabled', () => {
      const breaker = world.breakerWith();
      openNow(breaker);
      breaker.setMode('disabled');
      call(breaker, 'fatal', { times: 100 });
      expect(breaker.state).toBe('disabled');
      expect(breaker.isRefusing).toBe(false);
      expect(breaker.retryAfterMs).toBe(0);
      expect(breaker.counts().calls).toBe(0);
    });

    it('counts and only says that it would have opened in metrics-only, once for each open time', async () => {
      const breaker = world.breakerWith();
      breaker.setMode('metrics-only');
      call(breaker, 'failure', { times: 100 });
      expect(breaker.state).toBe('metrics-only');
      expect(breaker.counts().failures).toBe(100);
      const wouldOpen = () => world.transitions.filter(({ type }) => type === 'would-open').length;
      expect(wouldOpen()).toBe(1);
      await world.clock.advance(5_000);
      call(breaker, 'failure');
      expect(wouldOpen()).toBe(2);
    });
  });

  it('is closed by an operator as if its probes had succeeded, and reset as if nothing had happened', async () => {
    const breaker = world.breakerWith();
    openNow(breaker);
    breaker.close();
    expect(breaker.state).toBe('closed');
    openNow(breaker);
    expect(breaker.retryAfterMs).toBe(10_000);
    breaker.reset();
    call(breaker, 'failure');
    breaker.reset();
    expect(breaker.counts().calls).toBe(0);
    openNow(breaker);
    expect(breaker.retryAfterMs).toBe(5_000);
  });

  it('keeps what it has counted when its options change', async () => {
    const breaker = world.breakerWith();
    call(breaker, 'failure', { times: 6 });
    await world.clock.advance(2_000);
    breaker.update(optionsWith({ windowMs: 20_000, minimumCalls: 7 }));
    expect(breaker.counts()).toEqual({ calls: 6, failures: 6, slow: 0 });
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
  });

  it('keeps the last calls, as many as there is room for, when they are what judges', () => {
    const breaker = world.breakerWith({ window: 'count', size: 20 });
    call(breaker, 'success', { times: 8 });
    call(breaker, 'failure', { times: 6 });
    breaker.update(optionsWith({ window: 'count', size: 10, minimumCalls: 10, failureRatio: 0.7 }));
    expect(breaker.counts()).toEqual({ calls: 10, failures: 6, slow: 0 });
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
  });

  it('begins to count anew when another kind of window judges', () => {
    for (const [before, after] of [
      ['time', 'count'],
      ['count', 'time'],
      ['count', 'consecutive'],
    ] as const) {
      const breaker = world.breakerWith({ window: before });
      call(breaker, 'failure', { times: 6 });
      breaker.update(optionsWith({ window: after }));
      expect(breaker.counts().calls).toBe(0);
    }
  });

  it('can be reset when it has no section', () => {
    const breaker = new CircuitBreaker(undefined, { clock: world.clock, random: () => world.random });
    breaker.reset();
    for (const wasSilent of [true, false]) breaker.noteAnswer({ wasSilent });
    expect(breaker.state).toBe('closed');
  });

  it('closes and never opens again when its section is taken away', () => {
    const breaker = world.breakerWith();
    openNow(breaker);
    breaker.update(undefined);
    call(breaker, 'fatal', { times: 100 });
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBe(0);
  });
});
