import { setTimeout as delay } from 'node:timers/promises';
import { RedisConnection } from '#libs/cache';
import type { Policy } from '#libs/resilience';
import { TooManyLogins } from '../../apps/api/src/auth/auth.errors.js';
import { ProcessAttempts } from '../../apps/api/src/auth/passwords/login-attempts.js';
import { LoginThrottle } from '../../apps/api/src/auth/passwords/login-throttle.js';
import { SharedAttempts } from '../../apps/api/src/auth/passwords/shared-attempts.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.js';

const UNGUARDED: Pick<Policy, 'execute'> = {
  execute: (call, { signal = AbortSignal.timeout(1_000) } = {}) => call(signal),
};
const HOME = '192.0.2.7';

describeWithRedis('failed logins that processes share in Redis', () => {
  let redis: RedisServer;
  let connections: RedisConnection[];
  let throttles: LoginThrottle[];
  /** One that was just started. */
  const throttleOn = (connection: RedisConnection) =>
    new LoginThrottle(
      { perAccount: 5, perNetwork: 100 },
      new SharedAttempts(connection, UNGUARDED, new ProcessAttempts(), 'pepper'),
    );
  beforeAll(async () => {
    redis = await startRedis();
    connections = [new RedisConnection(redis.url), new RedisConnection(redis.url)];
    for (const connection of connections) await connected(connection);
    throttles = connections.map(throttleOn);
  });
  afterAll(async () => {
    for (const connection of connections ?? []) connection.close();
    await redis?.stop();
  });

  async function connected(connection: RedisConnection): Promise<void> {
    for (;;)
      try {
        return await connection.ping(AbortSignal.timeout(1_000));
      } catch {
        await delay(10);
      }
  }

  /** How many of so many at once are admitted, in turns by each process. */
  async function attempts(count: number, email: string, address = HOME): Promise<number> {
    const admitted = Array.from({ length: count }, (_, i) =>
      throttles[i % throttles.length]!.admit(email, address).then(
        () => 1,
        (error: unknown) => {
          if (error instanceof TooManyLogins) return 0;
          throw error;
        },
      ),
    );
    return (await Promise.all(admitted)).reduce((sum: number, one) => sum + one, 0);
  }

  it('let as many through at once as one process does, whichever is tried', async () => {
    expect(await attempts(60, 'ann@example.com')).toBe(5);
    expect(await attempts(10, 'ann@example.com', '198.51.100.1')).toBe(5);
  });

  it('outlive a process, and are forgotten everywhere when the owner is there', async () => {
    expect(await attempts(10, 'bob@example.com')).toBe(5);
    throttles = connections.map(throttleOn);
    expect(await attempts(10, 'bob@example.com')).toBe(0);
    await throttles[0]!.know('bob@example.com', HOME);
    expect(await attempts(10, 'bob@example.com')).toBe(5);
  });

  it('of an account under attack leave its owner his tries, and a stranger one, in every process', async () => {
    await throttles[1]!.know('eve@example.com', HOME);
    for (let i = 0; i < 30; i++) await attempts(1, 'eve@example.com', `198.51.${i}.1`);
    expect(await attempts(10, 'eve@example.com', '203.0.113.9')).toBe(1);
    expect(await attempts(10, 'eve@example.com')).toBe(5);
  });

  it('show the server neither accounts nor networks, and do not stay for ever', async () => {
    const keys = await redis.cli.keys('*');
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) {
      expect(key).toMatch(/^navigator:login:(network|account|pair|familiar):[\w-]{22}$/);
      expect(await redis.cli.pttl(key)).toBeGreaterThan(0);
    }
  });

  it('are not believed when somebody else has written them', async () => {
    await attempts(10, 'zoe@example.com');
    for (const key of await redis.cli.keys('*')) await redis.cli.set(key, '{"level":"many","at":null}');
    expect(await attempts(10, 'zoe@example.com')).toBe(5);
  });

  it('are counted by each process as it saw them last while Redis is away', async () => {
    expect(await attempts(10, 'joe@example.com')).toBe(5);
    await redis.kill();
    expect(await attempts(10, 'joe@example.com')).toBeLessThan(5);
    expect(await attempts(20, 'new@example.com')).toBe(10);
    await redis.start();
    for (const connection of connections) await connected(connection);
    expect(await attempts(20, 'later@example.com')).toBe(5);
  });
});
