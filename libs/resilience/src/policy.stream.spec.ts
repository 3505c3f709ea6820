import { DependencyTimeout, TransientFailure } from '#libs/errors';
import {
  hangs,
  ignoring,
  OPTIONS,
  PolicyWorld,
  refused,
  settled,
} from '../../../test/support/policy-world.js';
import type { Policy } from './policy-types.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

describe('a stream', () => {
  async function* items(...values: unknown[]) {
    for (const value of values) {
      if (value instanceof Error) throw value;
      yield value as string;
    }
  }
  async function read(stream: AsyncIterable<string>) {
    const seen: string[] = [];
    try {
      for await (const item of stream) seen.push(item);
      return seen;
    } catch (error) {
      return [...seen, error];
    }
  }
  const windowOf = (policy: Policy) => policy.describe().window;

  it('gives all items, and is one success at its end', async () => {
    const policy = world.policyWith();
    const stream = policy.stream(() => items('a', 'b'));
    expect((await stream.next()).value).toBe('a');
    expect(windowOf(policy).calls).toBe(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    expect(await read(stream)).toEqual(['b']);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 0 });
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('may be empty', async () => {
    const policy = world.policyWith();
    expect(await read(policy.stream(() => items()))).toEqual([]);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 0 });
  });

  it('is retried before its first item, if it is idempotent', async () => {
    const policy = world.policyWith();
    let opened = 0;
    const open = () => (++opened < 3 ? items(new TransientFailure('503')) : items('a'));
    const all = read(policy.stream(open, { idempotent: true }));
    await world.clock.advance(1_000);
    expect(await all).toEqual(['a']);
    expect(opened).toBe(3);
  });

  it('is never retried after its first item; breaking off is a failure', async () => {
    const policy = world.policyWith();
    let opened = 0;
    const open = () => (opened++, items('a', new TransientFailure('cut')));
    expect(await read(policy.stream(open, { idempotent: true }))).toEqual([
      'a',
      expect.objectContaining({ dependency: 'model', reason: 'failed' }),
    ]);
    expect(opened).toBe(1);
    expect(windowOf(policy)).toMatchObject({ calls: 1, failures: 1 });
    await world.clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('times out without a first item, and not later', async () => {
    const policy = world.policyWith({ retry: undefined });
    const never = async function* (signal: AbortSignal) {
      await hangs(signal);
      yield 'never';
    };
    const late = read(policy.stream(never));
    await world.clock.advance(1_000);
    expect(await late).toEqual([expect.any(DependencyTimeout)]);

    const slow = async function* () {
      yield 'a';
      await world.clock.sleep(60_000);
      yield 'b';
    };
    const all = read(policy.stream(slow));
    await world.clock.advance(60_000);
    expect(await all).toEqual(['a', 'b']);
  });

  it('is slow by the time of its first item, and not by its length', async () => {
    const policy = world.policyWith();
    const open = (firstMs: number, restMs: number) =>
      async function* () {
        await world.clock.sleep(firstMs);
        yield 'a';
        await world.clock.sleep(restMs);
      };
    const long = read(policy.stream(open(10, 5_000)));
    await world.clock.advance(6_000);
    await long;
    expect(windowOf(policy)).toMatchObject({ calls: 1, slow: 0 });
    const late = read(policy.stream(open(500, 0)));
    await world.clock.advance(600);
    await late;
    expect(windowOf(policy)).toMatchObject({ calls: 2, slow: 1 });
  });

  it('means nothing when its reader leaves, is aborted then and gives its permit back', async () => {
    const policy = world.policyWith();
    let closed = false;
    let inner: AbortSignal | undefined;
    const open = async function* (signal: AbortSignal) {
      inner = signal;
      try {
        for (;;) yield 'a';
      } finally {
        closed = true;
      }
    };
    for await (const item of policy.stream(open)) {
      expect(item).toBe('a');
      break;
    }
    expect(windowOf(policy).calls).toBe(0);
    await world.clock.advance(0);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
    expect(inner!.aborted).toBe(true);
    expect(closed).toBe(true);
  });

  it('ends with the reason of a caller who leaves, even if it does not listen', async () => {
    const policy = world.policyWith();
    const client = new AbortController();
    const open = async function* () {
      yield 'a';
      await ignoring();
    };
    const all = read(policy.stream(open, { signal: client.signal }));
    await world.clock.advance(10);
    const left = new Error('left');
    client.abort(left);
    expect(await all).toEqual(['a', left]);
    expect(windowOf(policy).calls).toBe(0);
    // What does not listen goes on working, and its permit is not another's for a while.
    expect(policy.describe().permits).toMatchObject({ inUse: 1 });
    await world.clock.advance(5_000);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('that comes too late is closed again', async () => {
    const policy = world.policyWith({ retry: undefined });
    const gate = Promise.withResolvers<void>();
    let closed = false;
    const open = async function* () {
      try {
        await gate.promise;
        yield 'a';
      } finally {
        closed = true;
      }
    };
    const all = read(policy.stream(open));
    await world.clock.advance(1_000);
    expect(await all).toEqual([expect.any(DependencyTimeout)]);
    gate.resolve();
    await world.clock.advance(0);
    expect(closed).toBe(true);
    expect(policy.describe().permits).toMatchObject({ inUse: 0 });
  });

  it('as a probe is judged by its first item, and its end may still fail', async () => {
    const policy = world.policyWith({ breaker: { ...OPTIONS.breaker, successes: 2 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    const first = policy.stream(() => items('a', 'b'));
    await first.next();
    const second = policy.stream(() => items('a', 'b'));
    await second.next();
    expect(policy.state).toBe('closed');
    await read(first);
    await read(second);
    expect(policy.state).toBe('closed');
  });

  it('as a probe counts once, however it ends', async () => {
    const policy = world.policyWith({ breaker: { ...OPTIONS.breaker, successes: 2 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    expect(await read(policy.stream(() => items('a', 'b')))).toEqual(['a', 'b']);
    expect(policy.state).toBe('half-open');
    const cut = policy.stream(() => items('a', new TransientFailure('cut')));
    await cut.next();
    expect(policy.state).toBe('closed');
    await settled(cut.next());
    expect(policy.state).toBe('closed');
  });

  it('as a probe that breaks off after its first item opens the circuit again', async () => {
    const policy = world.policyWith({ breaker: { ...OPTIONS.breaker, successes: 2 } });
    await settled(policy.execute(refused));
    await world.clock.advance(5_000);
    await read(policy.stream(() => items('a', new TransientFailure('cut'))));
    expect(policy.state).toBe('open');
    expect(policy.describe().lastTransitions.at(-1)).toMatchObject({ detail: { reason: 'probe-failed' } });
  });

  it('is refused like any call when the circuit is open', async () => {
    const policy = world.policyWith();
    await settled(policy.execute(refused));
    expect(await read(policy.stream(() => items('a')))).toEqual([
      expect.objectContaining({ reason: 'circuit-open' }),
    ]);
  });
});
