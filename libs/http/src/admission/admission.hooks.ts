import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { openStreamsOf } from '../open-streams.js';
import { sendProblem } from '../problem.filter.js';
import { setRateLimitHeaders } from '../quotas/index.js';
import { type Admission, effectivePriority, problemOfRefusal } from './admission.js';
import { RefusalPace } from './refusal-pace.js';
import { hasBody, SlowBodies } from './slow-bodies.js';

export interface AdmissionTimes {
  /** For the body of a request that is not an upload; those have a rule of their own. */
  bodyMs: number;
  /** For the rest of a body that nobody wants any more: closing on it would take the answer from its sender. */
  discardMs: number;
}

const REFUSED = Symbol('refused at the door');
const TIMES: AdmissionTimes = { bodyMs: 15_000, discardMs: 5_000 };

/**
 * The door: what is refused here costs neither the reading of a body nor a look at a credential. To be registered after
 * the hook that makes the request's context.
 */
export function registerAdmission(
  fastify: FastifyInstance,
  admission: Admission,
  { bodyMs, discardMs }: AdmissionTimes = TIMES,
): void {
  const bodies = new SlowBodies();
  const pace = new RefusalPace();
  fastify.addHook('onClose', () => bodies.close());
  fastify.addHook('onRequest', (request, reply, done) => {
    const declaration = admission.declarationOf(request.method, request.routeOptions.url);
    const priority = effectivePriority(declaration.priority, request.headers['x-priority']);
    const context = currentContext();
    if (context) context.priority = priority;
    const refusal = admission.refusalOf(
      { address: request.ip, authorization: request.headers.authorization, streams: openStreamsOf(reply) },
      { ...declaration, priority },
    );
    const expectsBody = hasBody(request);
    if (!refusal) {
      if (expectsBody && !isUpload(request)) bodies.expect(request, reply, bodyMs, refuseBody);
      return done();
    }
    (request as { [REFUSED]?: boolean })[REFUSED] = true;
    if (expectsBody) bodies.expect(request, reply, discardMs, ({ raw }) => raw.destroy());
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    const { quota } = refusal;
    if (quota) setRateLimitHeaders(reply, { ...quota, remaining: 0, resetSeconds: quota.resetMs / 1_000 });
    const answer = () => sendProblem(reply, problemOfRefusal(refusal, context?.requestId));
    const delayMs = pace.delayMs(request.raw.socket, refusal.retryAfterMs);
    if (delayMs === 0) return answer();
    setTimeout(() => reply.raw.destroyed || answer(), delayMs);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    // Whoever tries credentials or paths pays with his address; a good credential has its own quota.
    if (reply.statusCode === 401 || request.is404) admission.quotas.chargeAddress(request.ip);
    done();
  });
}

/** There may be thousands of them in a second: they are counted, and told of together. */
export function wasRefusedAtDoor(request: FastifyRequest): boolean {
  return REFUSED in request;
}

function isUpload({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.startsWith('multipart/') === true;
}

function refuseBody(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) return void request.raw.destroy();
  reply.raw.once('finish', () => request.raw.destroy());
  reply.header('connection', 'close');
  const requestId = String(reply.getHeader('x-request-id'));
  sendProblem(
    reply,
    problem(408, 'body-too-slow', 'The body of the request did not come in time', requestId),
  );
}
