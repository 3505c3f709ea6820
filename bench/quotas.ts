import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerModuleOptions, ThrottlerStorageService } from '@nestjs/throttler';
import { RedisConnection } from '#libs/cache';
import {
  QuotaGuard,
  Quotas,
  type QuotaStore,
  RateClass,
  rateSection,
  RedisQuotaStore,
  throttlerOptions,
} from '#libs/http';
import { newContext, runInContext } from '#libs/observability';
import type { Policy } from '#libs/resilience';
import { redisInstalled, startRedis } from '../test/support/redis.js';

/*
 * What counting a request costs: `npm run bench:quotas`. The guard of @nestjs/throttler with its own storage, which counts
 * one quota, against ours in the same frame, which counts three (credential, user, tenant); in turns, for callers who do
 * not reach their limits. Where redis-server is installed, also ours with all that it says to a Redis meanwhile.
 */

const PER_MINUTE = 30_000;
const CALLERS = 20;
const REQUESTS = 30_000;
const ROUNDS = 5;

class Controller {
  @RateClass('read')
  list() {}
}

const headers: Record<string, unknown> = {};
const reply = { header: (name: string, value: unknown) => void (headers[name] = value) };

function contextOf(caller: number): ExecutionContext {
  const request = { headers: { authorization: `Bearer ${caller}` }, ip: `192.0.2.${caller}` };
  return {
    getClass: () => Controller,
    getHandler: () => Controller.prototype.list,
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
  } as unknown as ExecutionContext;
}

async function stock(): Promise<ThrottlerGuard> {
  const options: ThrottlerModuleOptions = { throttlers: [{ ttl: 60_000, limit: PER_MINUTE }] };
  const guard = new ThrottlerGuard(options, new ThrottlerStorageService(), new Reflector());
  await guard.onModuleInit();
  return guard;
}

async function ours(store?: QuotaStore): Promise<{ guard: ThrottlerGuard; quotas: Quotas }> {
  const quotas = new Quotas(rateSection.schema.parse({ readPerMinute: PER_MINUTE }), { store });
  const guard = new QuotaGuard(throttlerOptions(quotas), new ThrottlerStorageService(), new Reflector());
  Object.assign(guard, { quotas });
  await guard.onModuleInit();
  quotas.start();
  return { guard, quotas };
}

/** Microseconds of CPU a request. */
async function measure(guard: ThrottlerGuard): Promise<number> {
  const contexts = Array.from({ length: CALLERS }, (_, caller) => contextOf(caller));
  const before = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++) {
    const caller = i % CALLERS;
    const request = newContext({ requestId: 'bench' });
    const credentialId = `credential-${caller}`;
    Object.assign(request, { tenantId: 'tenant', userId: `user-${caller}`, credentialId });
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    await runInContext(request, () => guard.canActivate(contexts[caller]!));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

const redis = redisInstalled ? await startRedis() : undefined;
const connection = redis && new RedisConnection(redis.url);
const unguarded: Pick<Policy, 'execute'> = { execute: (call) => call(AbortSignal.timeout(50)) };

console.log('| round | @nestjs/throttler, its storage | ours | ratio | ours, counted in Redis |');
console.log('|---|---|---|---|---|');
for (let round = 1; round <= ROUNDS; round++) {
  const theirs = await measure(await stock());
  const own = await measure((await ours()).guard);
  let shared = '';
  if (connection) {
    const { guard, quotas } = await ours(new RedisQuotaStore(connection, unguarded));
    shared = `${(await measure(guard)).toFixed(1)} µs`;
    await quotas.close();
    await redis?.cli.flushall();
  }
  const ratio = (theirs / own).toFixed(1);
  console.log(`| ${round} | ${theirs.toFixed(1)} µs | ${own.toFixed(1)} µs | ${ratio} × | ${shared} |`);
}
connection?.close();
await redis?.stop();
process.exit(0); // The library's storage keeps a timer for each key.
