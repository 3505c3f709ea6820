import { settled, VirtualClock } from '../../../test/support/virtual-clock.js';
import { PolicyRegistry } from './policy-registry.js';

function world() {
  const clock = new VirtualClock();
  const registry = new PolicyRegistry({ clock });
  const policy = registry.define('model', {
    attemptTimeoutMs: 100,
    bulkhead: { concurrency: 1 },
  });
  return { clock, policy, inUse: () => policy.describe().permits!.inUse };
}

describe('the permit of a stream that was given up', () => {
  /** Does not listen to its signal, and has a second item after `ms`. */
  const deaf = (clock: VirtualClock, ms: number) =>
    async function* () {
      yield 'first';
      await clock.sleep(ms);
      yield 'second';
    };

  it('is free when the stream has really ended, though nobody waits for it', async () => {
    const { clock, policy, inUse } = world();
    const client = new AbortController();
    const stream = policy.stream(deaf(clock, 2_000), { signal: client.signal });
    await stream.next();
    const second = stream.next();
    const left = new Error('left');
    client.abort(left);
    await expect(second).rejects.toBe(left);
    expect(inUse()).toBe(1);
    await clock.advance(2_000);
    expect(inUse()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('is free after a while even if the stream never ends', async () => {
    const { clock, policy, inUse } = world();
    const client = new AbortController();
    const stream = policy.stream(deaf(clock, 1e9), { signal: client.signal });
    await stream.next();
    const second = stream.next();
    client.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    await clock.advance(5_000);
    expect(inUse()).toBe(0);
  });

  it('is free at once when the stream listens', async () => {
    const { policy, inUse } = world();
    const listening = async function* (signal: AbortSignal) {
      yield 'first';
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    const client = new AbortController();
    const stream = policy.stream(listening, { signal: client.signal });
    await stream.next();
    const second = stream.next();
    client.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    await settled();
    expect(inUse()).toBe(0);
  });
});

describe('what a stream is read from', () => {
  /** Without a `return`, as an iterator may be. */
  function counted(items: string[]) {
    const seen = { asked: 0, closed: 0 };
    const next = async () => {
      const value = items[seen.asked++];
      return value === undefined ? { done: true as const, value } : { done: false as const, value };
    };
    const close = async () => (seen.closed++, { done: true as const, value: undefined });
    const of = (iterator: AsyncIterator<string>) => () => ({ [Symbol.asyncIterator]: () => iterator });
    return { seen, closable: of({ next, return: close }), plain: of({ next }) };
  }

  it('is not closed when it has ended by itself', async () => {
    const { seen, closable } = counted(['a']);
    for await (const item of world().policy.stream(closable)) expect(item).toBe('a');
    expect(seen).toEqual({ asked: 2, closed: 0 });
  });

  it('is closed when its reader leaves, if it can be', async () => {
    const { seen, closable, plain } = counted(['a', 'b', 'c']);
    for await (const _ of world().policy.stream(closable)) break;
    expect(seen.closed).toBe(1);
    const { policy, inUse } = world();
    for await (const _ of policy.stream(plain)) break;
    await settled();
    expect(inUse()).toBe(0);
  });

  it('is asked for no further item when the caller left between two', async () => {
    const { seen, closable } = counted(['a', 'b']);
    const client = new AbortController();
    const stream = world().policy.stream(closable, { signal: client.signal });
    await stream.next();
    client.abort('left');
    await expect(stream.next()).rejects.toBe('left');
    expect(seen).toEqual({ asked: 1, closed: 1 });
  });
});
