import { DependencyTimeout, DependencyUnavailable, TransientFailure } from '#libs/errors';

import type { PolicyOptions } from './options.js';
import { PolicyRegistry } from './policy-registry.js';

const options: PolicyOptions = {
  attemptTimeoutMs: 500,
  retry: { retries: 2 },
  breaker: { minimumCalls: 1, openMs: 60_000 },
  bulkhead: { concurrency: 2 },
};
let count = 0;
const policyWith = (changes: Partial<PolicyOptions> = {}) =>
  new PolicyRegistry().define(`test-${count++}`, { ...options, ...changes });
const transient = () => Promise.reject(new TransientFailure('503'));
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('a policy', () => {
  it('hands through what the call returns', async () => {
    await expect(policyWith().execute(() => Promise.resolve('pong'))).resolves.toBe('pong');
  });

  it('tries a transient failure again and answers as soon as one attempt succeeds', async () => {
    let attempts = 0;
    const call = () => (++attempts < 3 ? transient() : Promise.resolve(attempts));
    await expect(policyWith({ breaker: undefined }).execute(call, { idempotent: true })).resolves.toBe(3);
  });

  it('makes at most one attempt more than it has retries, then says that the dependency is unavailable', async () => {
    let attempts = 0;
    const call = () => (attempts++, transient());
    await expect(policyWith({ breaker: undefined }).execute(call, { idempotent: true })).rejects.toThrow(
      DependencyUnavailable,
    );
    expect(attempts).toBe(3);
  });

  it('neither retries nor hides a mistake of the caller', async () => {
    let attempts = 0;
    const bug = new TypeError('a bug');
    await expect(policyWith().execute(() => (attempts++, Promise.reject(bug)))).rejects.toBe(bug);
    expect(attempts).toBe(1);
  });

  it('aborts an attempt that takes too long and counts it as a failure', async () => {
    const policy = policyWith({ attemptTimeoutMs: 10, retry: undefined });
    await expect(policy.execute(never)).rejects.toThrow(DependencyTimeout);
  });

  it('opens its circuit after failures and then rejects without calling', async () => {
    const policy = policyWith({ retry: undefined });
    for (let i = 0; i < 3; i++) await policy.execute(transient, { idempotent: true }).catch(() => undefined);
    expect(policy.state).toBe('open');
    let called = false;
    await expect(policy.execute(() => Promise.resolve((called = true)))).rejects.toThrow(
      DependencyUnavailable,
    );
    expect(called).toBe(false);
  });

  it('stays closed when its callers make mistakes or leave', async () => {
    const policy = policyWith({ retry: undefined });
    for (let i = 0; i < 5; i++)
      await policy.execute(() => Promise.reject(new TypeError())).catch(() => undefined);
    for (let i = 0; i < 5; i++) {
      const client = new AbortController();
      const call = policy.execute(never, { signal: client.signal }).catch(() => undefined);
      client.abort();
      await call;
    }
    expect(policy.state).toBe('closed');
  });

  it('rejects at once what exceeds its concurrency and its queue', async () => {
    const policy = policyWith({ retry: undefined });
    const gate = Promise.withResolvers<string>();
    const running = [1, 2].map(() => policy.execute(() => gate.promise));
    await expect(policy.execute(() => gate.promise)).rejects.toThrow(DependencyUnavailable);
    gate.resolve('done');
    await expect(Promise.all(running)).resolves.toEqual(['done', 'done']);
  });

  it('rejects with the reason of a client that leaves', async () => {
    const client = new AbortController();
    const call = policyWith().execute(never, { signal: client.signal });
    const left = new Error('left');
    client.abort(left);
    await expect(call).rejects.toBe(left);
  });

  it('leaves the signal of a successful call alone, so that a stream can be read on', async () => {
    const signal = await policyWith().execute((inner) => Promise.resolve(inner));
    expect(signal.aborted).toBe(false);
  });
});

describe('the policy registry', () => {
  it('gives out what was defined and lists it', () => {
    const registry = new PolicyRegistry();
    const embedder = registry.define('embedder', options);
    expect(registry.policy('embedder')).toBe(embedder);
    expect(registry.list()).toEqual([embedder]);
  });

  it('refuses a name twice and a name that nobody defined', () => {
    const registry = new PolicyRegistry();
    registry.define('postgres', options);
    expect(() => registry.define('postgres', options)).toThrow(/twice/);
    expect(() => registry.policy('mongodb')).toThrow(/no policy named mongodb/);
  });
});
