import type { FastifyInstance } from 'fastify';
import { problem } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { sendProblem } from './problem.filter.js';

/**
 * Refuses texts that could not be kept as they came: with NUL, which PostgreSQL does not store, or with half of a
 * surrogate pair, which has no form in UTF-8. Refused here, because no field is meant to have either.
 */
export function registerTextRules(fastify: FastifyInstance): void {
  fastify.addHook('preHandler', (request, reply, done) => {
    if ([request.params, request.query, request.body].every(isKeepable)) return done();
    const detail = 'A text of the request has a character that cannot be stored';
    sendProblem(reply, problem(400, 'invalid-text', detail, currentContext()?.requestId));
  });
}

/** Whether every text in it, names of members included, can be stored as it is. Streams and buffers are not looked at. */
export function isKeepable(value: unknown): boolean {
  // Not by recursion: a small body may be nested deeper than the stack is.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string' && (next.includes('\0') || !next.isWellFormed())) return false;
    if (Array.isArray(next)) for (const item of next) left.push(item);
    else if (isPlain(next)) for (const name of Object.keys(next)) left.push(name, next[name]);
  }
  return true;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null || !(value instanceof Object);
}
