import { BreakerWorld, call, type Given, openNow } from '../../../../test/support/breaker-world.js';
import { REFUSED } from './circuit-breaker.js';

describe('CircuitBreaker and its probes', () => {
  let world: BreakerWorld;
  beforeEach(() => {
    world = new BreakerWorld();
  });

  it('stays open twice as long each time that its probe fails, up to a minute', async () => {
    const breaker = world.breakerWith();
    openNow(breaker);
    const lengths: number[] = [];
    for (let i = 0; i < 6; i++) {
      lengths.push(breaker.retryAfterMs);
      await world.clock.advance(breaker.retryAfterMs);
      call(breaker, 'failure');
    }
    expect(lengths).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('begins with the short open time again after a minute closed, and not before', async () => {
    const breaker = world.breakerWith({ successes: 1 });
    const reopenAfter = async (closedMs: number) => {
      await world.clock.advance(breaker.retryAfterMs);
      call(breaker, 'success');
      expect(breaker.state).toBe('closed');
      await world.clock.advance(closedMs);
      openNow(breaker);
      return breaker.retryAfterMs;
    };
    openNow(breaker);
    await expect(reopenAfter(59_999)).resolves.toBe(10_000);
    await expect(reopenAfter(60_000)).resolves.toBe(5_000);
  });

  describe('half-open', () => {
    async function halfOpen(given: Given = {}) {
      const breaker = world.breakerWith(given);
      const stale = breaker.acquire();
      openNow(breaker);
      await world.clock.advance(5_000);
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
      expect(world.transitions.map(({ type }) => type)).toEqual(['opened', 'half-opened', 'closed']);
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
        breaker.record(breaker.acquire(), 'success', 1);
        expect(breaker.state).toBe('half-open');
        breaker.record(breaker.acquire(), 'success', 1);
        expect(breaker.state).toBe('closed');
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
      await world.clock.advance(1_999);
      expect(breaker.acquire()).toBe(REFUSED);
      await world.clock.advance(1);
      const next = breaker.acquire();
      expect(next).not.toBe(REFUSED);
      breaker.record(hung, 'failure', 2_000);
      expect(breaker.state).toBe('half-open');
      breaker.record(next, 'success', 1);
      expect(breaker.state).toBe('closed');
    });
  });

  describe('asked by a probe outside of calls', () => {
    it('opens half at once for a dependency that was silent and has answered', async () => {
      const breaker = world.breakerWith();
      openNow(breaker);
      await world.clock.advance(1_000);
      breaker.noteAnswer({ wasSilent: true });
      expect(breaker.state).toBe('open');
      expect(breaker.acquire()).not.toBe(REFUSED);
      expect(breaker.state).toBe('half-open');
    });

    it('only cuts the growth of the open time when it has answered all the time', async () => {
      const breaker = world.breakerWith();
      openNow(breaker);
      await world.clock.advance(5_000);
      call(breaker, 'failure');
      await world.clock.advance(4_999);
      breaker.noteAnswer({ wasSilent: false });
      expect(breaker.acquire()).toBe(REFUSED);
      await world.clock.advance(1);
      breaker.noteAnswer({ wasSilent: false });
      expect(breaker.acquire()).not.toBe(REFUSED);
    });

    it('is not closed by any number of answers', () => {
      const breaker = world.breakerWith();
      openNow(breaker);
      for (let i = 0; i < 10; i++) breaker.noteAnswer({ wasSilent: true });
      expect(breaker.state).toBe('open');
    });
  });

  it('tells a probe from a call that began before', async () => {
    const breaker = world.breakerWith();
    const before = breaker.acquire();
    openNow(breaker);
    await world.clock.advance(5_000);
    const probe = breaker.acquire();
    expect([breaker.isProbe(before), breaker.isProbe(probe)]).toEqual([false, true]);
  });
});
