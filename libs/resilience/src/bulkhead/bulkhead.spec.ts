import { DependencyUnavailable } from '#libs/errors';
import { world } from '../../../../test/support/bulkhead-world.js';
import { settled } from '../../../../test/support/virtual-clock.js';

describe('a bulkhead', () => {
  it('lets as many calls through as its limit and makes the others wait their turn', async () => {
    const { bulkhead, granted, call, end } = world();
    ['a', 'b', 'c', 'd'].forEach((name) => void call(name));
    await settled();
    expect(granted).toEqual(['a', 'b']);
    expect([bulkhead.inUse, bulkhead.queued, bulkhead.limit]).toEqual([2, 2, 2]);
    await end('b');
    expect(granted).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    await end('d');
    expect([bulkhead.inUse, bulkhead.queued]).toEqual([0, 0]);
  });

  it('gives a permit at once and without a promise when it has one', () => {
    const { bulkhead } = world({ concurrency: 1 });
    const release = bulkhead.tryAcquire({ priority: 'critical' });
    expect(release).toBeInstanceOf(Function);
    expect(bulkhead.tryAcquire({ priority: 'critical' })).toBeUndefined();
    release!();
    expect(bulkhead.tryAcquire({ priority: 'critical' })).toBeInstanceOf(Function);
  });

  it('takes a permit back once', async () => {
    const { bulkhead, granted, call, end } = world({ concurrency: 1 });
    ['a', 'b', 'c'].forEach((name) => void call(name));
    await settled();
    await end('a');
    await end('a');
    expect(granted).toEqual(['a', 'b']);
    expect(bulkhead.inUse).toBe(1);
  });

  it('gives a free permit to who waits, so that nobody who comes later can take it', async () => {
    const { bulkhead, granted, call } = world({ concurrency: 1 });
    const release = bulkhead.tryAcquire({ priority: 'critical' })!;
    void call('waiting');
    release();
    // Between the release and the moment at which the waiter notices.
    expect(bulkhead.tryAcquire({ priority: 'critical-plus' })).toBeUndefined();
    await settled();
    expect(granted).toEqual(['waiting']);
  });

  describe('that is full', () => {
    it('turns calls away when its queue is full, and says when to come back', async () => {
      const { bulkhead, call } = world({ concurrency: 1, queue: 1 });
      void call('a');
      void call('b');
      const error = await call('c').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DependencyUnavailable);
      expect(error).toMatchObject({ dependency: 'embedder', reason: 'queue-full', retryAfterMs: 1_000 });
      expect(bulkhead.queued).toBe(1);
    });

    it('turns a call away when it has waited long enough', async () => {
      const { clock, bulkhead, call, end, granted } = world({ concurrency: 1 });
      void call('a');
      const waiting = call('b');
      await clock.advance(249);
      expect(bulkhead.queued).toBe(1);
      await clock.advance(1);
      await expect(waiting).rejects.toMatchObject({ reason: 'queue-timeout', retryAfterMs: 1_000 });
      await end('a');
      expect(granted).toEqual(['a']);
      expect([bulkhead.inUse, bulkhead.queued, clock.pending]).toEqual([0, 0, 0]);
    });

    it('lets work that nobody waits for wait longer', async () => {
      const { clock, bulkhead, call } = world({ concurrency: 1, maxWaitMs: 2_000 });
      void call('a');
      const patient = bulkhead.acquire({ priority: 'sheddable', maxWaitMs: 30_000 });
      const refused = expect(patient).rejects.toMatchObject({ reason: 'queue-timeout', retryAfterMs: 2_000 });
      await clock.advance(29_999);
      expect(bulkhead.queued).toBe(1);
      await clock.advance(1);
      await refused;
    });

    it('lets a caller leave at once, from anywhere in the queue', async () => {
      const { clock, bulkhead, granted, call, end } = world({ concurrency: 1 });
      const clients = ['b', 'c', 'd'].map((name) => ({ name, leave: new AbortController() }));
      void call('a');
      const calls = clients.map(({ name, leave }) => call(name, { tenantId: 't', signal: leave.signal }));
      const left = new Error('left');
      clients[1]!.leave.abort(left);
      await expect(calls[1]).rejects.toBe(left);
      clients[0]!.leave.abort(left);
      await expect(calls[0]).rejects.toBe(left);
      expect(bulkhead.queued).toBe(1);
      await end('a');
      expect(granted).toEqual(['a', 'd']);
      await end('d');
      expect([bulkhead.inUse, bulkhead.queued, clock.pending]).toEqual([0, 0, 0]);
    });

    it('does not even begin for a caller who has left', async () => {
      const { bulkhead, call } = world();
      const left = new Error('left');
      await expect(call('a', { signal: AbortSignal.abort(left) })).rejects.toBe(left);
      expect(bulkhead.inUse).toBe(0);
    });
  });

  describe('with priorities', () => {
    it('serves the more important first', async () => {
      const { granted, call, end } = world({ concurrency: 1 });
      void call('first');
      void call('sheddable', { priority: 'sheddable' });
      void call('sheddable-plus', { priority: 'sheddable-plus' });
      void call('critical', { priority: 'critical' });
      void call('critical-plus', { priority: 'critical-plus' });
      await settled();
      for (const name of ['first', 'critical-plus', 'critical', 'sheddable-plus', 'sheddable']) {
        expect(granted.at(-1)).toBe(name);
        await end(name);
      }
    });

    it('keeps the reserved permits for the most important', async () => {
      const { bulkhead, granted, call, end } = world({ concurrency: 3, reserved: 1 });
      ['a', 'b', 'c'].forEach((name) => void call(name));
      void call('vital', { priority: 'critical-plus' });
      void call('vital too', { priority: 'critical-plus' });
      await settled();
      expect(granted).toEqual(['a', 'b', 'vital']);
      expect(bulkhead.queued).toBe(2);
      await end('a');
      expect(granted.at(-1)).toBe('vital too');
      // Two permits are with the most important, which is more than was reserved: the rest is for all.
      await end('b');
      expect(granted.at(-1)).toBe('c');
    });

    it('leaves one permit to the others, however many are reserved', () => {
      const { bulkhead } = world({ concurrency: 1, reserved: 5 });
      expect(bulkhead.tryAcquire({ priority: 'sheddable' })).toBeInstanceOf(Function);
    });

    it('gives the place of the least important in a full queue to a more important call', async () => {
      const { granted, call, end } = world({ concurrency: 1, queue: 2 });
      void call('a');
      void call('plus', { priority: 'sheddable-plus' });
      const least = call('least', { priority: 'sheddable' });
      void call('critical', { priority: 'critical' });
      await expect(least).rejects.toMatchObject({ reason: 'queue-full' });
      await expect(call('no better', { priority: 'sheddable-plus' })).rejects.toMatchObject({
        reason: 'queue-full',
      });
      await end('a');
      await end('critical');
      expect(granted).toEqual(['a', 'critical', 'plus']);
    });
  });

  describe('with tenants', () => {
    it('serves them in turn, and each in its own order', async () => {
      const { granted, call, end } = world({ concurrency: 1 });
      void call('first');
      for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) void call(name, { tenantId: name[0] });
      await settled();
      for (let i = 0; i < 6; i++) await end(granted.at(-1)!);
      expect(granted).toEqual(['first', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    });

    it('lets one have all permits while nobody else waits', async () => {
      const { granted, call } = world({ concurrency: 10, tenantShare: 0.4 });
      for (let i = 0; i < 10; i++) void call(`a${i}`, { tenantId: 'a' });
      await settled();
      expect(granted).toHaveLength(10);
    });

    it('holds the one with its share back while another waits, even with more important calls', async () => {
      const { bulkhead, granted, call, end } = world({ concurrency: 10, tenantShare: 0.4 });
      for (let i = 0; i < 16; i++) void call(`a${i}`, { tenantId: 'a', priority: 'critical' });
      for (let i = 0; i < 8; i++) void call(`b${i}`, { tenantId: 'b', priority: 'sheddable' });
      await settled();
      for (let i = 0; i < 4; i++) await end(`a${i}`);
      expect(granted.slice(10)).toEqual(['b0', 'b1', 'b2', 'b3']);
      // Both have more than their share now and nobody with less waits: importance decides.
      await end('a4');
      expect(granted.at(-1)).toBe('a10');
      expect(bulkhead.inUse).toBe(10);
    });

    it('knows how many calls of a tenant are under way, also when one of them has ended', async () => {
      const { granted, call, end } = world({ concurrency: 4, tenantShare: 0.5 });
      for (const name of ['a1', 'a2', 'a3', 'a4']) void call(name, { tenantId: 'a' });
      await settled();
      await end('a4');
      void call('b1', { tenantId: 'b' });
      void call('a5', { tenantId: 'a' });
      void call('b2', { tenantId: 'b' });
      await settled();
      await end('b1');
      expect(granted.slice(4)).toEqual(['b1', 'b2']);
    });

    it('lets each fill only its part of the queue', async () => {
      const own = world({ concurrency: 1, queue: 10, tenantShare: 0.4 });
      void own.call('first');
      for (let i = 0; i < 4; i++) void own.call(`a${i}`, { tenantId: 'a' });
      await expect(own.call('a4', { tenantId: 'a' })).rejects.toMatchObject({ reason: 'queue-full' });
      void own.call('b', { tenantId: 'b' });
      await settled();
      expect(own.bulkhead.queued).toBe(5);

      const capped = world({ concurrency: 1, queue: 10, tenantQueue: 1 });
      void capped.call('first');
      void capped.call('a0', { tenantId: 'a' });
      await expect(capped.call('a1', { tenantId: 'a' })).rejects.toMatchObject({ reason: 'queue-full' });
    });

    it('takes the more important call of a tenant instead of its own least important one', async () => {
      const { granted, call, end } = world({ concurrency: 1, queue: 10, tenantQueue: 2 });
      void call('first');
      void call('b', { priority: 'sheddable' });
      const least = call('a1', { tenantId: 'a', priority: 'sheddable' });
      void call('a2', { tenantId: 'a' });
      void call('a3', { tenantId: 'a' });
      await expect(least).rejects.toMatchObject({ reason: 'queue-full' });
      for (const name of ['first', 'a2', 'a3', 'b']) await end(name);
      expect(granted).toEqual(['first', 'a2', 'a3', 'b']);
    });

    it('counts a tenant rightly whose last waiter gave up its place to the tenant itself', async () => {
      const { bulkhead, granted, call, end } = world({ concurrency: 1, queue: 1 });
      void call('first');
      const least = call('a1', { tenantId: 'a', priority: 'sheddable' });
      void call('a2', { tenantId: 'a', priority: 'critical' });
      await expect(least).rejects.toMatchObject({ reason: 'queue-full' });
      await end('first');
      await end('a2');
      expect(granted).toEqual(['first', 'a2']);
      expect(bulkhead['tenants'].size).toBe(0);
    });
  });
});
