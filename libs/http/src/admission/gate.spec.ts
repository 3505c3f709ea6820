import { settled, VirtualClock } from '../../../../test/support/virtual-clock.js';
import { ServerOverloaded } from '../http.errors.js';
import { Gate } from './gate.js';

describe('the gate', () => {
  let clock: VirtualClock;
  beforeEach(() => (clock = new VirtualClock()));
  const gateOf = (concurrency: number, maxWaitMs = 1_000) => new Gate({ concurrency, maxWaitMs }, { clock });
  const call = (tenantId: string) => ({ tenantId, priority: 'critical' as const });

  /** Enters, holds its place for `ms`, and tells when it was served. */
  async function serve(gate: Gate, tenantId: string, ms: number): Promise<number> {
    const release = gate.tryEnter(call(tenantId)) ?? (await gate.wait(call(tenantId)));
    const servedAt = clock.now();
    await clock.sleep(ms);
    release();
    return servedAt;
  }

  it('lets as many in as it is told and makes the others wait', async () => {
    const gate = gateOf(2);
    const first = gate.tryEnter(call('a'))!;
    gate.tryEnter(call('a'));
    expect(gate.tryEnter(call('a'))).toBeUndefined();
    const third = gate.wait(call('a'));
    await settled();
    expect(gate).toMatchObject({ inUse: 2, queued: 1 });
    first();
    await third;
    expect(gate).toMatchObject({ inUse: 2, queued: 0 });
  });

  it('lets more in, four times as many at most, for as long as it is told that they only wait', async () => {
    const gate = gateOf(2);
    const releases = [gate.tryEnter(call('a')), gate.tryEnter(call('b'))];
    const waiting = gate.wait(call('c'));
    await settled();
    gate.stretch(2.4);
    releases.push(await waiting);
    expect(gate).toMatchObject({ limit: 5, inUse: 3 });
    gate.stretch(100);
    expect(gate.limit).toBe(8);
    gate.stretch(0.1);
    expect(gate.limit).toBe(2);
    expect(gate.tryEnter(call('d'))).toBeUndefined();
    for (const release of releases) release!();
    expect(gate.inUse).toBe(0);
  });

  it('refuses at once who would wait too long, and tells how long that is', async () => {
    const gate = gateOf(1, 1_000);
    const all = Array.from({ length: 400 }, () => serve(gate, 'a', 100).catch((error: unknown) => error));
    await clock.advance(60_000);
    // Its pace is known by now: 10 a second.
    const results = await Promise.all(all);
    expect(results.filter((result) => typeof result === 'number').length).toBeGreaterThan(10);
    const again = Array.from({ length: 400 }, () => serve(gate, 'a', 100).catch((error: unknown) => error));
    await settled();
    expect(gate.queued).toBeLessThanOrEqual(12);
    const refused = (await Promise.race(again.toReversed())) as ServerOverloaded;
    expect(refused).toBeInstanceOf(ServerOverloaded);
    expect(refused.retryAfterMs).toBeGreaterThan(1_000);
    await clock.advance(60_000);
    expect(gate).toMatchObject({ inUse: 0, queued: 0 });
  });

  it('makes nobody wait behind another tenant’s many', async () => {
    const gate = gateOf(2, 60_000);
    const flood = Array.from({ length: 100 }, () => serve(gate, 'flooder', 100));
    const other = serve(gate, 'other', 100);
    await clock.advance(60_000);
    expect(await other).toBeLessThanOrEqual(200);
    await Promise.all(flood);
  });

  it('refuses one tenant’s next request while another’s is welcome', async () => {
    const gate = gateOf(1, 100);
    for (let i = 0; i < 50; i++) void serve(gate, 'flooder', 10).catch(() => undefined);
    await settled();
    expect(gate.refusalMs('flooder')).toBeGreaterThan(100);
    expect(gate.refusalMs('other')).toBeUndefined();
    await clock.advance(10_000);
  });

  it('forgets who leaves while he waits', async () => {
    const gate = gateOf(1);
    const release = gate.tryEnter(call('a'))!;
    const left = new AbortController();
    const waiting = gate.wait({ ...call('a'), signal: left.signal });
    await settled();
    left.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(gate.queued).toBe(0);
    expect(gate.expectedWaitMs('a')).toBe(0);
    release();
    expect(gate.inUse).toBe(0);
  });

  it('gives up on who has waited much longer than was expected', async () => {
    const gate = gateOf(1, 1_000);
    gate.tryEnter(call('a'));
    const waiting = expect(gate.wait(call('a'))).rejects.toBeInstanceOf(ServerOverloaded);
    await clock.advance(2_000);
    await waiting;
  });

  it('counts a place that is given back twice once', () => {
    const gate = gateOf(2);
    const release = gate.tryEnter(call('a'))!;
    gate.tryEnter(call('a'));
    release();
    release();
    expect(gate.inUse).toBe(1);
  });

  it('lets fewer in while the process is too full, and more again with success', async () => {
    const gate = gateOf(20, 60_000);
    for (let i = 0; i < 5; i++) {
      gate.onOverload();
      await clock.advance(1_000);
    }
    const lowered = gate.limit;
    expect(lowered).toBeLessThan(20);
    expect(lowered).toBeGreaterThanOrEqual(4);
    const work = Array.from({ length: 1_000 }, () => serve(gate, 'a', 10));
    await clock.advance(10_000);
    await Promise.all(work);
    expect(gate.limit).toBe(20);
  });
});
