import { VirtualClock } from '../../../test/support/virtual-clock.js';
import { FatalFailure } from '#libs/errors';
import { sumOfMetric } from '#libs/observability';
import { InvalidPolicyOptions } from './options.js';
import { PolicyRegistry } from './policy-registry.js';

describe('PolicyRegistry', () => {
  let clock: VirtualClock;
  let registry: PolicyRegistry;
  beforeEach(() => {
    clock = new VirtualClock();
    registry = new PolicyRegistry({ clock, random: () => 0.5 });
  });
  afterEach(() => registry.close());
  const names = () => registry.list().map(({ name }) => name);
  const open = (policy: ReturnType<PolicyRegistry['policy']>) =>
    policy.execute(() => Promise.reject(new FatalFailure('refused'))).catch(() => undefined);

  it('gives out what was defined and lists it', () => {
    const embedder = registry.define('embedder', { attemptTimeoutMs: 1_000 });
    expect(registry.policy('embedder')).toBe(embedder);
    expect(names()).toEqual(['embedder']);
  });

  it('refuses a name twice, a name that nobody defined and bad options', () => {
    registry.define('postgres', { attemptTimeoutMs: 1_000 });
    expect(() => registry.define('postgres', { attemptTimeoutMs: 1_000 })).toThrow(/twice/);
    expect(() => registry.policy('mongodb')).toThrow(/no policy named mongodb/);
    expect(() => registry.keyed('mongodb', 'x')).toThrow(/no policy named mongodb/);
    expect(() => registry.define('x', { attemptTimeoutMs: 0 })).toThrow(/x\.attemptTimeoutMs/);
  });

  describe('keyed', () => {
    beforeEach(() =>
      registry.define('webhook', { attemptTimeoutMs: 1_000, breaker: {}, bulkhead: { concurrency: 1 } }),
    );

    it('gives each key a policy of its own, made like the template', async () => {
      const one = registry.keyed('webhook', 'one.example');
      expect(registry.keyed('webhook', 'one.example')).toBe(one);
      expect(one.name).toBe('webhook:one.example');
      await open(one);
      expect(one.state).toBe('open');
      expect(registry.keyed('webhook', 'two.example').state).toBe('closed');
      expect(registry.policy('webhook').state).toBe('closed');
      expect(names()).toEqual(['webhook', 'webhook:one.example', 'webhook:two.example']);
      expect(registry.policy('webhook:one.example')).toBe(one);
    });

    it('forgets what was not used for 15 minutes, with its history', async () => {
      const one = registry.keyed('webhook', 'one.example');
      await open(one);
      await clock.advance(10 * 60_000);
      registry.keyed('webhook', 'two.example');
      await clock.advance(5 * 60_000);
      registry.keyed('webhook', 'two.example');
      expect(names()).toEqual(['webhook', 'webhook:two.example']);
      expect(registry.events.list('webhook:one.example')).toEqual([]);
      expect(registry.keyed('webhook', 'one.example').state).toBe('closed');
    });

    it('are shown together in metrics, by the name of their template', async () => {
      const gauge = (name: string, labels?: Record<string, string>) =>
        sumOfMetric(`navigator_policy_${name}`, { policy: 'webhook', ...labels });
      expect(await gauge('permits_limit')).toBe(1);
      const [one, two] = ['one.example', 'two.example'].map((host) => registry.keyed('webhook', host));
      for (let i = 0; i < 3; i++) await two!.execute(() => Promise.resolve());
      await open(one!);
      const ends = Promise.withResolvers<void>();
      const call = two!.execute(() => ends.promise);
      await clock.advance(0);
      expect(await gauge('permits_limit')).toBe(2);
      expect(await gauge('permits_in_use')).toBe(1);
      expect(await gauge('failure_ratio')).toBe(0.25);
      expect(await gauge('state', { state: 'closed' })).toBe(1);
      expect(await gauge('state', { state: 'open' })).toBe(1);
      expect(await gauge('state', { state: 'half-open' })).toBe(0);
      expect(await sumOfMetric('navigator_policy_permits_limit', { policy: one!.name })).toBe(0);
      ends.resolve();
      await call;
    });

    it('does not forget what is in use', async () => {
      const one = registry.keyed('webhook', 'one.example');
      const stream = one.stream(async function* () {
        yield 'a';
        yield 'b';
      });
      await stream.next();
      await clock.advance(16 * 60_000);
      expect(registry.keyed('webhook', 'one.example')).toBe(one);
      await clock.advance(16 * 60_000);
      registry.keyed('webhook', 'two.example');
      expect(names()).toContain('webhook:one.example');
      await stream.return(undefined);
      await clock.advance(0);
      registry.keyed('webhook', 'two.example');
      expect(names()).not.toContain('webhook:one.example');
    });

    it('forgets those without a bulkhead too', async () => {
      registry.define('plain', { attemptTimeoutMs: 1_000 });
      registry.keyed('plain', 'one');
      await clock.advance(16 * 60_000);
      registry.keyed('plain', 'two');
      expect(names()).not.toContain('plain:one');
    });

    it('holds five thousand at most and gives up the longest unused', () => {
      for (let i = 0; i < 5_001; i++) registry.keyed('webhook', `host-${i}`);
      expect(names()).toHaveLength(5_001);
      expect(names()).not.toContain('webhook:host-0');
      expect(names()).toContain('webhook:host-5000');
    });
  });

  describe('changed while it runs', () => {
    const options = (name: string) => registry.policy(name).describe().options;
    beforeEach(() => {
      registry.define('postgres', { attemptTimeoutMs: 1_000, breaker: { openMs: 1_000 } });
      registry.define('model:a', { attemptTimeoutMs: 2_000, retry: {} });
      registry.define('model:b', { attemptTimeoutMs: 3_000 });
    });

    it('changes what is named, by name or by the beginning of it, and says so', () => {
      registry.update({ 'model:*': { attemptTimeoutMs: 5_000 }, postgres: { breaker: { jitter: 0 } } });
      expect(options('postgres').breaker).toMatchObject({ openMs: 1_000, jitter: 0 });
      expect(options('model:a')).toMatchObject({ attemptTimeoutMs: 5_000, retry: { retries: 2 } });
      expect(options('model:b').attemptTimeoutMs).toBe(5_000);
      expect(registry.events.list().map(({ policy, type }) => [policy, type])).toEqual([
        ['postgres', 'reconfigured'],
        ['model:a', 'reconfigured'],
        ['model:b', 'reconfigured'],
      ]);
    });

    it('goes back to how it was defined when it is not named any more', () => {
      registry.update({ postgres: { attemptTimeoutMs: 9_000 }, 'model:a': { retry: null } });
      registry.update({ 'model:a': { retry: null } });
      expect(options('postgres').attemptTimeoutMs).toBe(1_000);
      expect(options('model:a').retry).toBeUndefined();
      const before = registry.events.list().length;
      registry.update({ 'model:a': { retry: null } });
      expect(registry.events.list()).toHaveLength(before);
    });

    it('changes nothing at all when anything is wrong, and names all of it', () => {
      const bad = {
        postgres: { breaker: { windowMs: 1 } },
        'model:*': { attemptTimeoutMs: 5_000, bulkhead: { concurrency: 2, queue: -1 } },
        postgress: {},
      };
      let problems: string[] = [];
      try {
        registry.update(bad);
      } catch (error) {
        problems = (error as InvalidPolicyOptions).problems.map(({ option }) => option);
      }
      expect(problems).toEqual([
        'postgress',
        'postgres.breaker.windowMs',
        'model:a.bulkhead.queue',
        'model:b.bulkhead.queue',
      ]);
      expect(options('model:a').attemptTimeoutMs).toBe(2_000);
      expect(() => registry.update(bad)).toThrow(/postgres\.breaker\.windowMs/);
    });

    it('keeps state and counts, and reaches the keyed ones', async () => {
      await open(registry.policy('postgres'));
      const keyed = registry.keyed('model:b', 'x');
      registry.update({
        postgres: { breaker: { windowMs: 20_000 } },
        'model:*': { breaker: {}, bulkhead: { concurrency: 7 } },
      });
      expect(registry.policy('postgres').state).toBe('open');
      expect(registry.policy('postgres').describe().window).toMatchObject({ calls: 1, failures: 1 });
      expect(keyed.describe().permits).toMatchObject({ limit: 7 });
    });

    it('of a single policy is checked too', () => {
      expect(() => registry.policy('postgres').update({ attemptTimeoutMs: 0 })).toThrow(InvalidPolicyOptions);
      registry.policy('postgres').update({ attemptTimeoutMs: 7_000 });
      expect(options('postgres').attemptTimeoutMs).toBe(7_000);
    });
  });

  it('leaves nothing running when it is closed', async () => {
    registry.define(
      'a',
      { attemptTimeoutMs: 1_000, breaker: {}, bulkhead: { concurrency: 2 } },
      { probe: () => Promise.reject(new Error()) },
    );
    registry.override('a', {
      mode: 'disabled',
      by: 'ann',
      reason: 'test',
      expiresAt: new Date(Date.now() + 60_000),
    });
    registry.override('a', null);
    await open(registry.policy('a'));
    expect(clock.pending).toBeGreaterThan(0);
    registry.close();
    expect(clock.pending).toBe(0);
  });
});
