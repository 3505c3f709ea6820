import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerModuleOptions, ThrottlerStorageService } from '@nestjs/throttler';
import { QuotaGuard, Quotas, RateClass, throttlerOptions } from '#libs/http';
import { newContext, runInContext } from '#libs/observability';

/*
 * What counting a request costs: `npm run bench:quotas`. The guard of @nestjs/throttler with its own storage against
 * ours in the same frame, in turns, for callers who do not reach their limits.
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

async function ours(): Promise<ThrottlerGuard> {
  const perMinute = { authPerMinute: 30, strangerPerMinute: 1_000, uploadPerMinute: 600 };
  const others = { questionPerMinute: 300, searchPerMinute: 600, writePerMinute: 600 };
  const quotas = new Quotas({ ...perMinute, ...others, readPerMinute: PER_MINUTE });
  const guard = new QuotaGuard(throttlerOptions(quotas), quotas.gcra, new Reflector());
  Object.assign(guard, { quotas });
  await guard.onModuleInit();
  return guard;
}

/** Microseconds of CPU a request. */
async function measure(guard: ThrottlerGuard): Promise<number> {
  const contexts = Array.from({ length: CALLERS }, (_, caller) => contextOf(caller));
  const before = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++) {
    const caller = i % CALLERS;
    const request = newContext({ requestId: 'bench' });
    Object.assign(request, { tenantId: 'tenant', credentialId: `credential-${caller}` });
    await runInContext(request, () => guard.canActivate(contexts[caller]!));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

console.log('| round | @nestjs/throttler, its storage | ours | ratio |');
console.log('|---|---|---|---|');
for (let round = 1; round <= ROUNDS; round++) {
  const [theirs, own] = [await measure(await stock()), await measure(await ours())];
  console.log(
    `| ${round} | ${theirs.toFixed(1)} µs | ${own.toFixed(1)} µs | ${(theirs / own).toFixed(1)} × |`,
  );
}
process.exit(0); // The library's storage keeps a timer for each key.
