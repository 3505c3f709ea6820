import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { Caches, CacheModule, cacheSection, RedisConnection, type SafeCache } from '#libs/cache';
import { loadConfig } from '#libs/config';
import { PolicyRegistry } from '#libs/resilience';
import { redisInstalled, startRedis } from '../test/support/redis.js';
import { percentile } from './statistics.js';

/**
 * What the cache costs, with values as long as a kept answer: CPU of the memory tier, and the time of a value that is
 * only in Redis. Run: npm run build && node dist/bench/cache.js
 */
const ENTRIES = 5_000;
const ROUNDS = 20;
const ANSWER = z.object({
  text: z.string(),
  citations: z.array(z.object({ quote: z.string(), page: z.number() })),
});
const VALUE = {
  text: 'The overall deductible is $500 per person. '.repeat(10),
  citations: Array.from({ length: 8 }, (_, page) => ({
    quote: 'Emergency room care has a $250 copay. '.repeat(15),
    page,
  })),
};

interface CachingProcess {
  answers: SafeCache<z.infer<typeof ANSWER>>;
  close(): Promise<void>;
}

async function startProcess(dataDir: string, url?: string): Promise<CachingProcess> {
  const { cache } = loadConfig(
    { cache: cacheSection },
    { CACHE_MAX_ENTRIES: String(2 * ENTRIES), CACHE_MAX_MB: '512' },
  );
  const connection = url ? new RedisConnection(url) : undefined;
  const policies = new PolicyRegistry();
  policies.define('cache', { attemptTimeoutMs: 50, breaker: {}, bulkhead: { concurrency: 256 } });
  const providers = [
    { provide: 'DATA_DIR', useValue: dataDir },
    { provide: PolicyRegistry, useValue: policies },
  ];
  @Module({})
  class Surroundings {}
  @Module({})
  class Process {}
  const surroundings = {
    module: Surroundings,
    global: true,
    providers,
    exports: providers.map((p) => p.provide),
  };
  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    { module: Process, imports: [surroundings, CacheModule.register(cache, connection)] },
    { logger: false },
  );
  return {
    answers: app.get(Caches).named('answers', { ttlSeconds: 600, schema: ANSWER }).forTenant('tenant'),
    async close() {
      await app.close();
      connection?.close();
      policies.close();
    },
  };
}

/** CPU of one call in microseconds, the best of a few rounds. */
async function cpuOf(call: (key: string) => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < ENTRIES; i++) await call(`question ${i}`);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / ENTRIES);
  }
  return best;
}

function report(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(52)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}`);
}

const dataDir = await mkdtemp(join(tmpdir(), 'bench-cache-'));
report('length of a value as JSON', JSON.stringify(VALUE).length, 'characters');
const alone = await startProcess(dataDir);
report('memory: set', await cpuOf((key) => alone.answers.set(key, VALUE)), 'µs CPU');
report('memory: get', await cpuOf((key) => alone.answers.get(key)), 'µs CPU');
report('memory: wrap, found', await cpuOf((key) => alone.answers.wrap(key, async () => VALUE)), 'µs CPU');
report('memory: get, not there', await cpuOf((key) => alone.answers.get(`no ${key}`)), 'µs CPU');
await alone.close();

if (redisInstalled) {
  const redis = await startRedis();
  const [writer, reader] = [await startProcess(dataDir, redis.url), await startProcess(dataDir, redis.url)];
  // A command before the connection is made would open the circuit for a second.
  while (Number(/connected_clients:(\d+)/.exec(await redis.cli.info('clients'))![1]) < 3) await delay(10);
  await delay(100);
  const sets: number[] = [];
  const gets: number[] = [];
  for (let i = 0; i < ENTRIES; i++) {
    await turn();
    const startedAt = performance.now();
    await writer.answers.set(`question ${i}`, VALUE);
    sets.push(performance.now() - startedAt);
    if (i % 100 === 0) await redis.cli.ping();
  }
  await redis.cli.ping();
  let found = 0;
  const cpu = process.cpuUsage();
  for (let i = 0; i < ENTRIES; i++) {
    await turn();
    const startedAt = performance.now();
    if (await reader.answers.get(`question ${i}`)) found += 1;
    gets.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpu);
  report('Redis: get of what only Redis has, p50', percentile(gets, 0.5), 'ms');
  report('Redis: get of what only Redis has, p99', percentile(gets, 0.99), 'ms');
  report('Redis: get of what only Redis has', (user + system) / ENTRIES, 'µs CPU');
  report('Redis: set, which waits for memory only, p50', percentile(sets, 0.5), 'ms');
  report('Redis: values found', (100 * found) / ENTRIES, '%');
  await redis.kill();
  const missed: number[] = [];
  for (let i = 0; i < ENTRIES; i++) {
    await turn();
    const startedAt = performance.now();
    await reader.answers.get(`other ${i}`);
    missed.push(performance.now() - startedAt);
  }
  report('Redis gone: get of what is not in memory, p50', percentile(missed, 0.5), 'ms');
  report('Redis gone: get of what is not in memory, p99', percentile(missed, 0.99), 'ms');
  await writer.close();
  await reader.close();
  await redis.stop();
} else console.log('redis-server is not installed; its figures are left out');
await rm(dataDir, { recursive: true });
