import { type ExecutionContext, Injectable } from '@nestjs/common';
import {
  type ThrottlerLimitDetail,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { RATE_CLASS, type RateClassName } from './declarations.js';
import type { RateConfig } from './http.config.js';
import { TooManyRequests } from './http.errors.js';
import { subscriberOf } from './network.js';

const WINDOW_MS = 60_000;
/** About 20 MB. Beyond it the oldest is forgotten, which is the one that would have ended first. */
const MOST_WINDOWS = 100_000;

/** How many requests of a route class one address (one /64 of IPv6) may make in a minute. */
export function throttlerOptions(config: RateConfig): ThrottlerModuleOptions {
  const limits: Record<RateClassName, number> = {
    auth: config.authPerMinute,
    upload: config.uploadPerMinute,
    question: config.questionPerMinute,
    search: config.searchPerMinute,
    read: config.readPerMinute,
    write: config.writePerMinute,
  };
  return {
    throttlers: [{ ttl: WINDOW_MS, limit: (context) => limits[rateClassOf(context)] }],
    storage: new WindowCounters(),
    generateKey: (context, tracker) => `${rateClassOf(context)} ${tracker}`,
  };
}

@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';

  protected override getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(subscriberOf(request.ip));
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const url = context.switchToHttp().getRequest<FastifyRequest>().routeOptions.url ?? '';
    // Orchestrators and scrapers ask often, all from one address, and must always be answered.
    return Promise.resolve(url.startsWith('/health') || url === '/metrics');
  }

  protected override throwThrottlingException(
    context: ExecutionContext,
    { timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw new TooManyRequests(rateClassOf(context), timeToBlockExpire);
  }
}

interface Window {
  hits: number;
  endsAt: number;
}

/**
 * Fixed windows, one small record a key. The library's own storage keeps a list of the times of all hits and filters
 * it at each request, which is where its cost comes from. Swept when a window has passed, so it stays small.
 */
export class WindowCounters implements ThrottlerStorage {
  private readonly windows = new Map<string, Window>();
  private sweepAt = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  increment(key: string, ttlMs: number, limit: number) {
    const now = this.now();
    if (now >= this.sweepAt) this.sweep(now, ttlMs);
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) this.open(key, (window = { hits: 0, endsAt: now + ttlMs }));
    window.hits += 1;
    const secondsLeft = Math.ceil((window.endsAt - now) / 1_000);
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: secondsLeft,
      isBlocked,
      timeToBlockExpire: isBlocked ? secondsLeft : 0,
    });
  }

  /** Put last, so that the windows stand in the order in which they end. */
  private open(key: string, window: Window): void {
    this.windows.delete(key);
    this.windows.set(key, window);
    if (this.windows.size > MOST_WINDOWS) this.windows.delete(this.windows.keys().next().value!);
  }

  private sweep(now: number, ttlMs: number): void {
    this.sweepAt = now + ttlMs;
    for (const [key, window] of this.windows) if (window.endsAt <= now) this.windows.delete(key);
  }
}

function rateClassOf(context: ExecutionContext): RateClassName {
  const declared =
    Reflect.getMetadata(RATE_CLASS, context.getHandler()) ??
    Reflect.getMetadata(RATE_CLASS, context.getClass());
  if (declared) return declared as RateClassName;
  return context.switchToHttp().getRequest<FastifyRequest>().method === 'GET' ? 'read' : 'write';
}
