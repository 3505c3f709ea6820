import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { type BreakerOptions, parseOptions, type PolicyOptions } from '../options.js';
import { CircuitBreaker, REFUSED, type Transition } from './circuit-breaker.js';

type Given = NonNullable<PolicyOptions['breaker']>;

function optionsWith(given: Given = {}): BreakerOptions {
  return parseOptions('test', { attemptTimeoutMs: 600_000, breaker: given }).breaker!;
}

describe('CircuitBreaker', () => {
  let clock: VirtualClock;
  let transitions: Transition[];
  let random: number;
  beforeEach(() => {
    clock = new VirtualClock();
    transitions = [];
    random = 0.5;
  });

  const breakerWith = (given?: Given) =>
    new CircuitBreaker(optionsWith(given), {
      clock,
      random: () => random,
      onTransition: (transition) => transitions.push(transition),
    });
  const call = (
    breaker: CircuitBreaker,
    outcome: Parameters<CircuitBreaker['record']>[1],
    { times = 1, ms = 1 } = {},
  ) => {
    for (let i = 0; i < times; i++) breaker.record(breaker.acquire(), outcome, ms);
  };
  const openNow = (breaker: CircuitBreaker) => call(breaker, 'fatal');

  it('opens when half of at least ten calls failed, and not one call earlier', () => {
    const breaker = breakerWith();
    call(breaker, 'success', { times: 5 });
    call(breaker, 'failure', { times: 4 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
    expect(transitions).toEqual([
      {
        type: 'opened',
        from: 'closed',
        to: 'open',
        detail: { reason: 'failure-ratio', calls: 10, failures: 5, slow: 0, openForMs: 5_000 },
      },
    ]);
  });

  it('opens also when a success is the call that makes enough of them', () => {
    const breaker = breakerWith();
    call(breaker, 'failure', { times: 9 });
    call(breaker, 'success');
    expect(breaker.state).toBe('open');
  });

  it('opens after so many failures in a row, however many calls succeeded before', () => {
    const breaker = breakerWith({ failuresInARow: 8 });
    call(breaker, 'success', { times: 1_000 });
    call(breaker, 'failure', { times: 7 });
    call(breaker, 'success');
    call(breaker, 'failure', { times: 7 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
    expect(transitions.at(-1)!.detail).toMatchObject({ reason: 'failures-in-a-row' });
  });

  it('does not add up failures that are older than its window, at whatever rate they come', async () => {
    const breaker = breakerWith();
    for (let i = 0; i < 50; i++) {
      call(breaker, 'failure');
      await clock.advance(1_200);
    }
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBeLessThan(10);
  });

  it('opens at once when nobody is there', () => {
    const breaker = breakerWith();
    openNow(breaker);
    expect(breaker.state).toBe('open');
    expect(transitions[0]!.detail).toMatchObject({ reason: 'fatal', calls: 1, failures: 1 });
  });

  it('opens when four of five calls are slow, though all of them succeed', () => {
    const breaker = breakerWith({ slowCallMs: 100 });
    call(breaker, 'success', { times: 2, ms: 99 });
    call(breaker, 'success', { times: 7, ms: 100 });
    expect(breaker.state).toBe('closed');
    call(breaker, 'success', { ms: 500 });
    expect(breaker.state).toBe('open');
    expect(transitions[0]!.detail).toMatchObject({ reason: 'slow-ratio', slow: 8, failures: 0 });
  });

  it('counts a failure that was slow as both', () => {
    const breaker = breakerWith({ slowCallMs: 100, minimumCalls: 100 });
    call(breaker, 'failure', { ms: 200 });
    expect(breaker.counts()).toEqual({ calls: 1, failures: 1, slow: 1 });
  });

  it.each(['ignored', 'overload'] as const)('counts nothing for a call that was %s', (outcome) => {
    const breaker = breakerWith();
    call(breaker, outcome, { times: 100 });
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBe(0);
  });

  it('stays open for five seconds and refuses, telling how long', async () => {
    const breaker = breakerWith();
    openNow(breaker);
    await clock.advance(1_000);
    expect(breaker.isRefusing).toBe(true);
    expect(breaker.acquire()).toBe(REFUSED);
    expect(breaker.retryAfterMs).toBe(4_000);
    await clock.advance(3_999);
    expect(breaker.acquire()).toBe(REFUSED);
    await clock.advance(1);
    expect(breaker.isRefusing).toBe(false);
    expect(breaker.retryAfterMs).toBe(0);
    expect(breaker.acquire()).not.toBe(REFUSED);
    expect(breaker.state).toBe('half-open');
  });

  it.each([
    [0, 4_000],
    [0.999999, 6_000],
  ])('spreads the open time by a fifth (chance %d)', (chance, expected) => {
    random = chance;
    const breaker = breakerWith();
    openNow(breaker);
    expect(breaker.retryAfterMs).toBeCloseTo(expected, 0);
  });

  it('stays open twice as long each time that its probe fails, up to a minute', async () => {
    const breaker = breakerWith();
    openNow(breaker);
    const lengths: number[] = [];
    for (let i = 0; i < 6; i++) {
      lengths.push(breaker.retryAfterMs);
      await clock.advance(breaker.retryAfterMs);
      call(breaker, 'failure');
    }
    expect(lengths).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('begins with the short open time again after a minute closed, and not before', async () => {
    const breaker = breakerWith({ successes: 1 });
    const reopenAfter = async (closedMs: number) => {
      await clock.advance(breaker.retryAfterMs);
      call(breaker, 'success');
      expect(breaker.state).toBe('closed');
      await clock.advance(closedMs);
      openNow(breaker);
      return breaker.retryAfterMs;
    };
    openNow(breaker);
    await expect(reopenAfter(59_999)).resolves.toBe(10_000);
    await expect(reopenAfter(60_000)).resolves.toBe(5_000);
  });

  describe('half-open', () => {
    async function halfOpen(given: Given = {}) {
      const breaker = breakerWith(given);
      const stale = breaker.acquire();
      openNow(breaker);
      await clock.advance(5_000);
      return { breaker, stale, probe: breaker.acquire() };
    }

    it('lets one probe through and refuses all others at once', async () => {
      const { breaker, probe } = await halfOpen();
      expect(breaker.isProbe(probe)).toBe(true);
      for (let i = 0; i < 1_000; i++) expect(breaker.acquire()).toBe(REFUSED);
      expect(breaker.isRefusing).toBe(true);
      expect(breaker.retryAfterMs).toBe(5_000);
    });

    it('closes after two probes in a row succeeded, with nothing counted', async () => {
      const { breaker, probe } = await halfOpen();
      breaker.record(probe, 'success', 1);
      expect(breaker.state).toBe('half-open');
      call(breaker, 'success');
      expect(breaker.state).toBe('closed');
      expect(breaker.counts().calls).toBe(0);
      expect(transitions.map(({ type }) => type)).toEqual(['opened', 'half-opened', 'closed']);
    });

    it('opens again when the second probe fails', async () => {
      const { breaker, probe } = await halfOpen();
      breaker.record(probe, 'success', 1);
      call(breaker, 'failure');
      expect(breaker.state).toBe('open');
      expect(breaker.retryAfterMs).toBe(10_000);
    });

    it('takes a probe that is slow for a failed one', async () => {
      const { breaker, probe } = await halfOpen({ slowCallMs: 100 });
      breaker.record(probe, 'success', 100);
      expect(breaker.state).toBe('open');
    });

    it.each(['ignored', 'overload'] as const)(
      'gives the place of an %s probe to the next',
      async (outcome) => {
        const { breaker, probe } = await halfOpen();
        breaker.record(probe, outcome, 1);
        expect(breaker.state).toBe('half-open');
        expect(breaker.acquire()).not.toBe(REFUSED);
      },
    );

    it('is not moved by a failure from before it opened, nor is its probe', async () => {
      const { breaker, stale, probe } = await halfOpen({ successes: 1 });
      breaker.record(stale, 'fatal', 10_000);
      expect(breaker.state).toBe('half-open');
      expect(breaker.acquire()).toBe(REFUSED);
      breaker.record(probe, 'success', 1);
      expect(breaker.state).toBe('closed');
      breaker.record(stale, 'fatal', 10_000);
      breaker.record(probe, 'fatal', 10_000);
      expect(breaker.state).toBe('closed');
    });

    it('is not wedged by a probe that never ends', async () => {
      const { breaker, probe: hung } = await halfOpen({ successes: 1, probeTimeoutMs: 2_000 });
      await clock.advance(1_999);
      expect(breaker.acquire()).toBe(REFUSED);
      await clock.advance(1);
      const next = breaker.acquire();
      expect(next).not.toBe(REFUSED);
      breaker.record(hung, 'failure', 2_000);
      expect(breaker.state).toBe('half-open');
      breaker.record(next, 'success', 1);
      expect(breaker.state).toBe('closed');
    });
  });

  describe('with other windows', () => {
    it('judges the last calls, however old, for what is called rarely', async () => {
      const breaker = breakerWith({ window: 'count', size: 4, minimumCalls: 4 });
      for (const outcome of ['success', 'success', 'success', 'failure'] as const) {
        call(breaker, outcome);
        await clock.advance(3_600_000);
      }
      expect(breaker.state).toBe('closed');
      call(breaker, 'failure');
      expect(breaker.state).toBe('open');
    });

    it('counts failures in a row for connecting', () => {
      const breaker = breakerWith({ window: 'consecutive', minimumCalls: 5 });
      call(breaker, 'failure', { times: 4 });
      call(breaker, 'success');
      call(breaker, 'failure', { times: 4 });
      expect(breaker.state).toBe('closed');
      call(breaker, 'failure');
      expect(breaker.state).toBe('open');
      expect(transitions[0]!.detail).toMatchObject({ reason: 'failures-in-a-row' });
    });

    it('counts slow calls in a row too', () => {
      const breaker = breakerWith({ window: 'consecutive', minimumCalls: 3, slowCallMs: 10 });
      call(breaker, 'success', { times: 3, ms: 10 });
      expect(transitions[0]!.detail).toMatchObject({ reason: 'slow-in-a-row' });
    });
  });

  describe('under an override', () => {
    it('lets nothing through while isolated, tells until when, and begins anew afterwards', async () => {
      const breaker = breakerWith();
      call(breaker, 'failure', { times: 9 });
      const before = breaker.acquire();
      breaker.setMode('isolated', clock.now() + 60_000);
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
      const breaker = breakerWith();
      openNow(breaker);
      breaker.setMode('disabled');
      call(breaker, 'fatal', { times: 100 });
      expect(breaker.state).toBe('disabled');
      expect(breaker.isRefusing).toBe(false);
      expect(breaker.counts().calls).toBe(0);
    });

    it('counts and only says that it would have opened in metrics-only, once for each open time', async () => {
      const breaker = breakerWith();
      breaker.setMode('metrics-only');
      call(breaker, 'failure', { times: 100 });
      expect(breaker.state).toBe('metrics-only');
      expect(breaker.counts().failures).toBe(100);
      const wouldOpen = () => transitions.filter(({ type }) => type === 'would-open').length;
      expect(wouldOpen()).toBe(1);
      await clock.advance(5_000);
      call(breaker, 'failure');
      expect(wouldOpen()).toBe(2);
    });
  });

  it('is closed by an operator as if its probes had succeeded, and reset as if nothing had happened', async () => {
    const breaker = breakerWith();
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

  describe('asked by a probe outside of calls', () => {
    it('opens half at once for a dependency that was silent and has answered', async () => {
      const breaker = breakerWith();
      openNow(breaker);
      await clock.advance(1_000);
      breaker.noteAnswer({ wasSilent: true });
      expect(breaker.state).toBe('open');
      expect(breaker.acquire()).not.toBe(REFUSED);
      expect(breaker.state).toBe('half-open');
    });

    it('only cuts the growth of the open time when it has answered all the time', async () => {
      const breaker = breakerWith();
      openNow(breaker);
      await clock.advance(5_000);
      call(breaker, 'failure');
      await clock.advance(4_999);
      breaker.noteAnswer({ wasSilent: false });
      expect(breaker.acquire()).toBe(REFUSED);
      await clock.advance(1);
      breaker.noteAnswer({ wasSilent: false });
      expect(breaker.acquire()).not.toBe(REFUSED);
    });

    it('is not closed by any number of answers', () => {
      const breaker = breakerWith();
      openNow(breaker);
      for (let i = 0; i < 10; i++) breaker.noteAnswer({ wasSilent: true });
      expect(breaker.state).toBe('open');
    });
  });

  it('keeps what it has counted when its options change', async () => {
    const breaker = breakerWith();
    call(breaker, 'failure', { times: 6 });
    await clock.advance(2_000);
    breaker.update(optionsWith({ windowMs: 20_000, minimumCalls: 7 }));
    expect(breaker.counts()).toEqual({ calls: 6, failures: 6, slow: 0 });
    call(breaker, 'failure');
    expect(breaker.state).toBe('open');
  });

  it('can be reset when it has no section', () => {
    const breaker = new CircuitBreaker(undefined, { clock, random: () => random });
    breaker.reset();
    breaker.noteAnswer({ wasSilent: true });
    expect(breaker.state).toBe('closed');
  });

  it('tells a probe from a call that began before', async () => {
    const breaker = breakerWith();
    const before = breaker.acquire();
    openNow(breaker);
    await clock.advance(5_000);
    const probe = breaker.acquire();
    expect([breaker.isProbe(before), breaker.isProbe(probe)]).toEqual([false, true]);
  });

  it('closes and never opens again when its section is taken away', () => {
    const breaker = breakerWith();
    openNow(breaker);
    breaker.update(undefined);
    call(breaker, 'fatal', { times: 100 });
    expect(breaker.state).toBe('closed');
    expect(breaker.counts().calls).toBe(0);
  });
});
