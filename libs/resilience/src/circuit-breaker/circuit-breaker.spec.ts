import { BreakerWorld, call, openNow } from '../../../../test/support/breaker-world.js';
import { REFUSED } from './circuit-breaker.js';

describe('CircuitBreaker', () => {
  let world: BreakerWorld;
  beforeEach(() => {
    world = new BreakerWorld();
  });

  it('opens when half of at least ten calls failed, and not one call earlier', () => {
    const breaker = world.breakerWith();
    call(breaker, 'success', { times: 5 });
    call(breaker, 'failure', { times: 4 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
    expect(world.transitions).toEqual([
      {
        type: 'opened',
        from: 'closed',
        to: 'open',
        detail: { reason: 'failure-ratio', calls: 10, failures: 5, slow: 0, openForMs: 5_000 },
      },
    ]);
  });

  it('opens also when a success is the call that makes enough of them', () => {
    const breaker = world.breakerWith();
    call(breaker, 'failure', { times: 9 });
    call(breaker, 'success');
    expect(breaker.state).toBe('open');
  });

  it('opens after so many failures in a row, however many calls succeeded before', () => {
    const breaker = world.breakerWith({ failuresInARow: 8 });
    call(breaker, 'success', { times: 1_000 });
    call(breaker, 'failure', { times: 7 });
    call(breaker, 'success');
    call(breaker, 'failure', { times: 7 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
    expect(world.transitions.at(-1)!.detail).toMatchObject({ reason: 'failures-in-a-row' });
  });

  it('does not add up failures that are older than its window, at whatever rate they come', async () => {
    const breaker = world.breakerWith();
    for (let i = 0; i < 50; i++) {
      call(breaker, 'failure');
      await world.clock.advance(1_200);
    }
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBeLessThan(10);
  });

  it('opens at once when nobody is there', () => {
    const breaker = world.breakerWith();
    openNow(breaker);
    expect(breaker.state).toBe('open');
    expect(world.transitions[0]!.detail).toMatchObject({ reason: 'fatal', calls: 1, failures: 1 });
  });

  it('opens when four of five calls are slow, though all of them succeed', () => {
    const breaker = world.breakerWith({ slowCallMs: 100 });
    call(breaker, 'success', { times: 2, ms: 99 });
    call(breaker, 'success', { times: 7, ms: 100 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'success', { ms: 500 });
    expect(breaker.state).toBe('open');
    expect(world.transitions[0]!.detail).toMatchObject({ reason: 'slow-ratio', slow: 8, failures: 0 });
  });

  it('counts a failure that was slow as both', () => {
    const breaker = world.breakerWith({ slowCallMs: 100, minimumCalls: 100 });
    call(breaker, 'failure', { ms: 200 });
    expect(breaker.counts()).toEqual({ calls: 1, failures: 1, slow: 1 });
  });

  it.each(['ignored', 'overload'] as const)('counts nothing for a call that was %s', (outcome) => {
    const breaker = world.breakerWith();
    call(breaker, outcome, { times: 100 });
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBe(0);
  });

  it('stays open for five seconds and refuses, telling how long', async () => {
    const breaker = world.breakerWith();
    openNow(breaker);
    await world.clock.advance(1_000);
    expect(breaker.isRefusing).toBe(true);
    expect(breaker.acquire()).toBe(REFUSED);
    expect(breaker.retryAfterMs).toBe(4_000);
    await world.clock.advance(3_999);
    expect(breaker.acquire()).toBe(REFUSED);
    await world.clock.advance(1);
    expect(breaker.isRefusing).toBe(false);
    expect(breaker.retryAfterMs).toBe(0);
    expect(breaker.acquire()).not.toBe(REFUSED);
    expect(breaker.state).toBe('half-open');
  });

  it.each([
    [0, 4_000],
    [0.999999, 6_000],
  ])('spreads the open time by a fifth (chance %d)', (chance, expected) => {
    world.random = chance;
    const breaker = world.breakerWith();
    openNow(breaker);
    expect(breaker.retryAfterMs).toBeCloseTo(expected, 0);
  });

  describe('with other windows', () => {
    it('judges the last calls, however old, for what is called rarely', async () => {
      const breaker = world.breakerWith({ window: 'count', size: 4, minimumCalls: 4 });
      for (const outcome of ['success', 'success', 'success', 'failure'] as const) {
        call(breaker, outcome);
        await world.clock.advance(3_600_000);
      }
      expect(breaker.state).toBe('closed');
      call(breaker, 'failure');
      expect(breaker.state).toBe('open');
    });

    it('counts failures in a row for connecting', () => {
      const breaker = world.breakerWith({ window: 'consecutive', minimumCalls: 5 });
      call(breaker, 'failure', { times: 4 });
      call(breaker, 'success');
      call(breaker, 'failure', { times: 4 });
      expect(breaker.state).toBe('closed');
      call(breaker, 'failure');
      expect(breaker.state).toBe('open');
      expect(world.transitions[0]!.detail).toMatchObject({ reason: 'failures-in-a-row' });
    });

    it('counts slow calls in a row too', () => {
      const breaker = world.breakerWith({ window: 'consecutive', minimumCalls: 3, slowCallMs: 10 });
      call(breaker, 'success', { times: 3, ms: 10 });
      expect(world.transitions[0]!.detail).toMatchObject({ reason: 'slow-in-a-row' });
    });
  });
});
