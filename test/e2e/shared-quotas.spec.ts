import { setTimeout as delay } from 'node:timers/promises';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.js';
import { testApp, type TestApp } from '../support/test-app.js';

/** Two programs on one database and one Redis, as behind a load balancer. */
describeWithRedis('quotas of two programs with one Redis', () => {
  let redis: RedisServer;
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    redis = await startRedis();
    const settings = {
      CACHE_URL: redis.url,
      RATE_LIMIT_STORE: 'redis',
      RATE_SEARCH_PER_MINUTE: '12',
      RATE_WRITE_PER_MINUTE: '6',
      AUTH_LOGINS_PER_MINUTE: '3',
    };
    first = await testApp(settings);
    second = await testApp({ ...settings, DATABASE_URL: first.db.url, DATA_DIR: first.dataDir });
    // Until each has heard of the other.
    while ((await redis.cli.zcard('navigator:quota:processes')) < 2) await delay(20);
    await delay(1_100);
  }, 120_000);
  afterAll(async () => {
    await second?.close();
    await first?.close();
    await redis?.stop();
  });

  const search = (app: TestApp) =>
    app.fetch('/v1/search', { json: { query: 'deductible' }, headers: first.admin });
  const write = (app: TestApp) => app.fetch('/v1/conversations', { json: {}, headers: first.admin });
  const levelOf = async (app: TestApp) => {
    const body = (await (await app.fetch('/health/level')).json()) as {
      capabilities: Record<string, { level: string; reasons: string[] }>;
    };
    return body.capabilities['quota.share']!;
  };

  it('are one quota, whichever program is asked', async () => {
    let passed = 0;
    for (let i = 0; i < 15; i++)
      for (const app of [first, second]) {
        const response = await search(app);
        if (response.status === 200) passed += 1;
        else expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(response.headers.get('ratelimit-limit')).toBe('12');
        expect(response.headers.get('ratelimit-policy')).toBe('12;w=60;burst=10');
      }
    expect(passed).toBeGreaterThanOrEqual(10);
    expect(passed).toBeLessThanOrEqual(13);
  });

  it('of failed logins are one too', async () => {
    const statuses = [];
    for (let i = 0; i < 4; i++)
      for (const app of [first, second]) {
        const json = { email: 'nobody@example.com', password: 'a wrong guess' };
        statuses.push((await app.fetch('/v1/auth/login', { json })).status);
      }
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
  });

  it('are divided while Redis is away, which is told, and one again by themselves', async () => {
    await redis.kill();
    for (const app of [first, second]) while ((await levelOf(app)).level === 'full') await delay(20);
    expect((await levelOf(first)).reasons).toContain('quota-store: away');
    let passed = 0;
    for (let i = 0; i < 5; i++)
      for (const app of [first, second]) if ((await write(app)).status === 201) passed += 1;
    expect(passed).toBe(6);

    await redis.start();
    while ((await redis.cli.zcard('navigator:quota:processes')) < 2) await delay(20);
    for (const app of [first, second]) expect((await write(app)).status).toBe(429);
  });
});
