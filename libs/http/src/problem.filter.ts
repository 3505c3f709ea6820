import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DependencyTimeout,
  DependencyUnavailable,
  DomainError,
  problem,
  type Problem,
  problemOf,
} from '#libs/errors';
import { currentContext, reportBug } from '#libs/observability';

const PROBLEM_JSON = 'application/problem+json; charset=utf-8';
/** Fastify's own refusals, by its stable error codes. */
const FASTIFY_CODES: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-content-length',
  FST_ERR_BAD_URL: 'invalid-url',
};
const STATUS_CODES: Record<number, string> = {
  400: 'bad-request',
  404: 'route-not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  503: 'unavailable',
};

const SOONEST_RETURN_MS = 5_000;
const LATEST_RETURN_MS = 30_000;

/** Turns every failure into an RFC 9457 problem; only a bug is logged here, once, and without its details outside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    if (reply.sent || reply.raw.headersSent) return;
    // The client has left: nobody reads the answer, and it is neither our failure nor a bug.
    if (request.raw.destroyed && !request.raw.complete) return void reply.hijack();
    const body = this.problemFor(error);
    if (error instanceof DependencyUnavailable || error instanceof DependencyTimeout)
      body.retry_after_ms = spread(error.retryAfterMs);
    sendProblem(reply, body);
  }

  private problemFor(error: unknown): Problem {
    const requestId = currentContext()?.requestId;
    if (error instanceof DomainError) return problemOf(error, requestId);
    const known = refusalOf(error);
    if (known) return problem(known.status, known.code, known.detail, requestId);
    this.logger.error(error instanceof Error ? error : new Error(String(error)));
    reportBug(error);
    return problem(500, 'internal-error', 'Something went wrong on our side', requestId);
  }
}

/**
 * When to come back after an outage, in milliseconds: not so soon that a dependency is asked by everybody in the moment
 * of its return, and not everybody at once.
 */
function spread(retryAfterMs = 0): number {
  const soonest = Math.min(Math.max(retryAfterMs, SOONEST_RETURN_MS), LATEST_RETURN_MS / 2);
  return Math.round(soonest * (1 + Math.random()));
}

export function sendProblem(reply: FastifyReply, body: Problem): void {
  if (body.status >= 503) reply.header('x-service-level', 'unavailable');
  if (body.retry_after_ms !== undefined)
    reply.header('retry-after', Math.ceil(Number(body.retry_after_ms) / 1_000));
  // RFC 9110 wants a challenge with every 401; the guard's own says more.
  if (body.status === 401 && !reply.hasHeader('www-authenticate'))
    reply.header('www-authenticate', 'Bearer realm="navigator"');
  // It also wants to tell of which size the thing is that has no such part.
  if (body.status === 416 && body.size_bytes !== undefined)
    reply.header('content-range', `bytes */${Number(body.size_bytes)}`);
  // Serialised here, because Nest's adapter would set another content type for an object.
  void reply.status(body.status).header('content-type', PROBLEM_JSON).send(JSON.stringify(body));
}

/** A refusal by Nest or Fastify, whose own errors Nest hands on as the cause. */
function refusalOf(error: unknown): { status: number; code: string; detail: string } | undefined {
  if (!(error instanceof HttpException) || error.getStatus() >= 500) return undefined;
  const status = error.getStatus();
  const { code } = (error.cause ?? {}) as { code?: string };
  return {
    status,
    code: FASTIFY_CODES[code ?? ''] ?? STATUS_CODES[status] ?? 'request-refused',
    detail: error.message,
  };
}
