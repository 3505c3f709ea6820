import { DeadlineExceeded, DependencyTimeout, DependencyUnavailable, TransientFailure } from '#libs/errors';
import {
  fails,
  hangs,
  OPTIONS,
  PolicyWorld,
  pong,
  refused,
  settled,
} from '../../../test/support/policy-world.js';
import { deadlineSignal } from './deadline.js';
import type { FaultInjector, FaultTarget } from './faults.js';
import { PolicyRegistry } from './policy-registry.js';

let world: PolicyWorld;
beforeEach(() => {
  world = new PolicyWorld();
});
afterEach(() => world.close());

describe('a policy', () => {
  it('has its strategies in the one order', () => {
    const everything = { ...OPTIONS, throttle: {}, hedge: {} };
    const faults = { apply: (_, call, signal) => call(signal) } as FaultInjector;
    const full = new PolicyRegistry({ faults }).define('everything', everything).describe();
    expect(full.pipeline).toMatchSnapshot();
    expect(world.policyWith().describe().pipeline).toEqual([
      'retry',
      'breaker',
      'bulkhead',
      'attempt-timeout',
    ]);
    expect(world.registry.define('bare', { attemptTimeoutMs: 1 }).describe().pipeline).toEqual([
      'breaker',
      'attempt-timeout',
    ]);
  });

  it('hands through what the call returns', async () => {
    await expect(world.policyWith().execute(pong)).resolves.toBe('pong');
  });

  it('may be no more than a time limit', async () => {
    const policy = world.registry.define('bare', { attemptTimeoutMs: 1_000 });
    await expect(policy.execute(pong)).resolves.toBe('pong');
    expect(await settled(policy.execute(fails))).toMatchObject({ dependency: 'bare', reason: 'failed' });
    expect(await world.ended(policy.execute(hangs))).toBeInstanceOf(DependencyTimeout);
    expect(policy.describe()).not.toHaveProperty('permits');
  });

  it('retries an idempotent call and answers as soon as an attempt succeeds', async () => {
    let calls = 0;
    const call = world.policyWith().execute(() => (++calls < 3 ? fails() : pong()), { idempotent: true });
    expect(await world.ended(call)).toBe('pong');
    expect(calls).toBe(3);
  });

  it('does not begin again what usually takes longer than the time that is left', async () => {
    const policy = world.policyWith();
    const after = (ms: number, end: () => Promise<unknown>) => () => world.clock.sleep(ms).then(end);
    for (let i = 0; i < 20; i++) await world.ended(policy.execute(after(400, pong)), 400);
    let calls = 0;
    const { signal } = deadlineSignal(500, { clock: world.clock });
    const call = policy.execute(
      after(100, () => (calls++, fails())),
      { idempotent: true, signal },
    );
    expect(await world.ended(call)).toMatchObject({ reason: 'failed' });
    expect(calls).toBe(1);
  });

  it('makes a call once that is not declared idempotent', async () => {
    let calls = 0;
    expect(await world.ended(world.policyWith().execute(() => (calls++, fails())))).toBeInstanceOf(
      DependencyUnavailable,
    );
    expect(calls).toBe(1);
  });

  it('neither retries nor hides a mistake of the caller', async () => {
    let calls = 0;
    const bug = new TypeError('a bug');
    const call = world.policyWith().execute(() => (calls++, Promise.reject(bug)), { idempotent: true });
    expect(await world.ended(call)).toBe(bug);
    expect(calls).toBe(1);
  });

  it('is a timeout of the dependency when every attempt takes too long', async () => {
    const call = world.policyWith().execute(hangs, { idempotent: true });
    expect(await world.ended(call)).toBeInstanceOf(DependencyTimeout);
  });

  it('keeps to a shorter limit of the call', async () => {
    const call = world.policyWith().execute(hangs, { timeoutMs: 10 });
    await expect(Promise.all([settled(call), world.clock.advance(10)])).resolves.toEqual([
      expect.any(DependencyTimeout),
      undefined,
    ]);
  });

  it('rejects a caller who comes with an aborted signal with its reason, even when the circuit is open', async () => {
    const policy = world.policyWith();
    await settled(policy.execute(refused));
    await expect(policy.execute(pong, { signal: AbortSignal.abort('left') })).rejects.toBe('left');
  });

  it('does nothing for a deadline that is over', async () => {
    const { signal } = deadlineSignal(0, { clock: world.clock });
    await expect(world.policyWith().execute(pong, { signal })).rejects.toThrow(DeadlineExceeded);
  });
});

describe('faults', () => {
  it('stand innermost: the policy treats them like the dependency’s own, streams too', async () => {
    const targets: FaultTarget[] = [];
    const faults: FaultInjector = {
      apply: (target) => (targets.push(target), fails()),
      async *stream(target, open, signal) {
        targets.push(target);
        yield* open(signal);
        throw new TransientFailure('injected');
      },
    };
    world = new PolicyWorld({ faults });
    const policy = world.policyWith({ retry: undefined });
    expect(await settled(policy.execute(pong, { operation: 'ask' }))).toMatchObject({ reason: 'failed' });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const item of policy.stream(async function* () {
        yield 'a';
      }))
        seen.push(item);
    })();
    expect(await settled(reading)).toMatchObject({ reason: 'failed' });
    expect(seen).toEqual(['a']);
    expect(targets).toEqual([
      { dependency: 'model', operation: 'ask' },
      { dependency: 'model', operation: undefined },
    ]);
    expect(policy.describe().window).toMatchObject({ calls: 2, failures: 2 });
  });

  it('may let a call through, with a signal of their own', async () => {
    const own = new AbortController().signal;
    const faults: Pick<FaultInjector, 'apply'> = { apply: (_, call) => call(own) };
    world = new PolicyWorld({ faults: faults as FaultInjector });
    let seen: AbortSignal | undefined;
    const call = world.policyWith().execute((signal) => ((seen = signal), pong()));
    await expect(call).resolves.toBe('pong');
    expect(seen).toBe(own);
  });

  it('that hang are an attempt that takes too long', async () => {
    const faults: Pick<FaultInjector, 'apply'> = { apply: (_, __, signal) => hangs(signal) };
    world = new PolicyWorld({ faults: faults as FaultInjector });
    const policy = world.policyWith({ retry: undefined });
    expect(await world.ended(policy.execute(pong), 1_000)).toBeInstanceOf(DependencyTimeout);
    expect(policy.describe().window).toMatchObject({ calls: 1, failures: 1, slow: 1 });
  });
});
