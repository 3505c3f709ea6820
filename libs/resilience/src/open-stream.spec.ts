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
