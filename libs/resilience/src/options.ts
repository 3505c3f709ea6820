import { z } from 'zod';

const milliseconds = (min = 1, max = 600_000) => z.number().int().min(min).max(max);
const count = (max: number, min = 1) => z.number().int().min(min).max(max);
const ratio = (min = 0.01) => z.number().min(min).max(1);

const retry = z
  .strictObject({
    /** Further attempts after the first. */
    retries: count(10).default(2),
    /** The wait before the n-th retry is a random part of baseMs × 2^(n-1), at most maxMs. */
    baseMs: milliseconds().default(100),
    maxMs: milliseconds().default(2_000),
    /** Retries are at most this share of a tenant's calls of the last 10 s … */
    budgetRatio: ratio(0).default(0.1),
    /** … and so many a second besides. */
    budgetPerSecond: z.number().min(0).max(1_000).default(1),
  })
  .refine(({ baseMs, maxMs }) => maxMs >= baseMs, { path: ['maxMs'], error: 'must not be below baseMs' });

const breaker = z
  .strictObject({
    /** What is judged: the calls of the last `windowMs`, the last `size` calls, or failures in a row. */
    window: z.enum(['time', 'count', 'consecutive']).default('time'),
    windowMs: milliseconds(100, 3_600_000).default(10_000),
    size: count(10_000).default(20),
    failureRatio: ratio().default(0.5),
    /** Fewer calls than this in the window are no evidence; for `consecutive`, the failures in a row that open. */
    minimumCalls: count(10_000).default(10),
    /** So many failures in a row open it whatever the window says: an outage after a busy hour is seen at once. */
    failuresInARow: count(10_000).optional(),
    /** Calls of this length and more are slow. Unless given, slowness opens nothing. */
    slowCallMs: milliseconds().optional(),
    slowRatio: ratio().default(0.8),
    /** How long the circuit stays open: openMs × 2^n for the n-th time in a row, at most maxOpenMs, ± jitter. */
    openMs: milliseconds(10).default(5_000),
    maxOpenMs: milliseconds(10, 3_600_000).default(60_000),
    jitter: z.number().min(0).max(0.5).default(0.2),
    /** Closed for so long, it starts again at openMs. */
    resetAfterMs: milliseconds(1, 86_400_000).default(60_000),
    /** Half-open, so many probes must succeed in a row, one after the other. */
    successes: count(100).default(2),
    /** A probe's own limit; a probe without a result after this makes room for another one. */
    probeTimeoutMs: milliseconds().default(5_000),
    /** After closing, the bulkhead is widened from 10 % to all of its permits in this time; 0: at once. */
    slowStartMs: milliseconds(0).default(10_000),
  })
  .refine(({ openMs, maxOpenMs }) => maxOpenMs >= openMs, {
    path: ['maxOpenMs'],
    error: 'must not be below openMs',
  })
  .refine(({ window, minimumCalls, size }) => window !== 'count' || minimumCalls <= size, {
    path: ['minimumCalls'],
    error: 'must not be above size',
  });

const bulkhead = z
  .strictObject({
    /** Calls under way at once. */
    concurrency: count(10_000),
    /** Calls that may wait for one to end. */
    queue: count(100_000, 0).default(0),
    maxWaitMs: milliseconds().default(250),
    /** For calls outside of requests, which nobody is waiting for; maxWaitMs unless given. */
    backgroundMaxWaitMs: milliseconds().optional(),
    /** No tenant has more than this share of the permits while others wait. */
    tenantShare: ratio().default(0.4),
    /** Calls of one tenant that may wait; its share of the queue unless given. */
    tenantQueue: count(100_000).optional(),
    /** Permits that only critical-plus calls may take. */
    reserved: count(10_000, 0).default(0),
    /** The limit falls when the dependency says that it has too much to do, and rises again while it is used. */
    adaptive: z.strictObject({ min: count(10_000).default(2) }).optional(),
  })
  .refine(({ reserved, concurrency }) => reserved < concurrency, {
    path: ['reserved'],
    error: 'must be below concurrency',
  })
  .refine(({ adaptive, concurrency }) => !adaptive || adaptive.min <= concurrency, {
    path: ['adaptive', 'min'],
    error: 'must not be above concurrency',
  });

const throttle = z.strictObject({
  windowMs: milliseconds(1_000, 3_600_000).default(30_000),
  /** So many times what the dependency accepted is let through. */
  k: z.number().min(1).max(10).default(2),
  /** Never more than this share is rejected, so that a recovery is noticed. */
  maxReject: z.number().min(0).max(0.99).default(0.8),
});

const hedge = z.strictObject({
  /** A second attempt starts after the live 95th percentile, never before this. */
  floorMs: milliseconds().default(50),
  /** At most this share of the calls is hedged. */
  budgetRatio: ratio(0).default(0.05),
});

/** All options of a policy. A strategy whose section is absent is off. */
export const policyOptions = z
  .strictObject({
    /** Of one attempt; of a stream, up to its first item. */
    attemptTimeoutMs: milliseconds(),
    retry: retry.optional(),
    throttle: throttle.optional(),
    hedge: hedge.optional(),
    breaker: breaker.optional(),
    bulkhead: bulkhead.optional(),
  })
  .refine(({ breaker, attemptTimeoutMs }) => !breaker?.slowCallMs || breaker.slowCallMs < attemptTimeoutMs, {
    path: ['breaker', 'slowCallMs'],
    error: 'must be below attemptTimeoutMs',
  });

/** As they are written: what has a default may be left out. */
export type PolicyOptions = z.input<typeof policyOptions>;
/** As they are in effect. */
export type EffectiveOptions = z.output<typeof policyOptions>;
export type BreakerOptions = z.output<typeof breaker>;
export type RetryOptions = z.output<typeof retry>;
export type ThrottleOptions = z.output<typeof throttle>;
export type HedgeOptions = z.output<typeof hedge>;

/** Names every option that is wrong as `policy.section.member`, and what would be right. Nothing was changed. */
export class InvalidPolicyOptions extends Error {
  constructor(readonly problems: { option: string; message: string }[]) {
    super(problems.map(({ option, message }) => `${option}: ${message}`).join('; '));
    this.name = 'InvalidPolicyOptions';
  }
}

/** @throws InvalidPolicyOptions */
export function parseOptions(policy: string, options: unknown): EffectiveOptions {
  const result = policyOptions.safeParse(options);
  if (result.success) return result.data;
  throw new InvalidPolicyOptions(
    result.error.issues.map((issue) => ({
      option: [policy, ...issue.path, ...('keys' in issue ? issue.keys : [])].join('.'),
      message: issue.message,
    })),
  );
}

/**
 * `changes` over `options`, section by section. A section that is `null` is turned off; one that was off is turned on.
 * Not checked yet: give the result to `parseOptions`.
 */
export function mergeOptions(options: PolicyOptions, changes: unknown): unknown {
  if (!isSection(changes)) return changes;
  const merged: Record<string, unknown> = { ...options };
  for (const [name, change] of Object.entries(changes)) {
    const before = merged[name];
    if (change === null) delete merged[name];
    else merged[name] = isSection(change) && isSection(before) ? { ...before, ...change } : change;
  }
  return merged;
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
