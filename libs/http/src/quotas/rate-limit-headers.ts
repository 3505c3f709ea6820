import type { FastifyReply } from 'fastify';
import { QUOTA_PERIOD_MS } from './gcra.js';

export interface RateLimit {
  /** Units a minute. */
  limit: number;
  /** Of them, how many may be used at once. */
  burst: number;
  /** How many may be used now. */
  remaining: number;
  /** Until all of the burst is there again. */
  resetSeconds: number;
}

/** Of the quota that the request comes nearest to, or that refused it (draft-ietf-httpapi-ratelimit-headers-06). */
export function setRateLimitHeaders(
  reply: Pick<FastifyReply, 'header'>,
  { limit, burst, remaining, resetSeconds }: RateLimit,
): void {
  reply.header('ratelimit-policy', `${limit};w=${QUOTA_PERIOD_MS / 1_000};burst=${burst}`);
  reply.header('ratelimit-limit', limit);
  reply.header('ratelimit-remaining', Math.max(0, remaining));
  reply.header('ratelimit-reset', Math.ceil(resetSeconds));
}
