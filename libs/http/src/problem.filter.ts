import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, problem, type Problem, problemOf } from '#libs/errors';
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
    if (error instanceof DomainError && error.retryAfterMs !== undefined)
      reply.header('retry-after', Math.ceil(error.retryAfterMs / 1_000));
    sendProblem(reply, this.problemFor(error));
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

export function sendProblem(reply: FastifyReply, body: Problem): void {
  if (body.status === 503) reply.header('x-service-level', 'unavailable');
  // RFC 9110 wants a challenge with every 401; the guard's own says more.
  if (body.status === 401 && !reply.hasHeader('www-authenticate'))
    reply.header('www-authenticate', 'Bearer realm="navigator"');
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
