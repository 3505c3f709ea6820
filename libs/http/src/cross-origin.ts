import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const ACCEPTED = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'range',
  'x-correlation-id',
  'x-deadline-ms',
  'x-min-service-level',
  'x-priority',
  'x-request-id',
].join(', ');
const SHOWN = [
  'content-disposition',
  'etag',
  'idempotency-replayed',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'x-cache',
  'x-model-used',
  'x-request-id',
  'x-service-level',
  'x-turn-id',
].join(', ');
/** Browsers believe none for longer. */
const PREFLIGHT_SECONDS = 7_200;

/**
 * Lets pages of these origins call the API from a browser. Without any, nothing is registered and browsers let no page
 * of another origin. Never with cookies: who calls from elsewhere shows a token.
 */
export function registerCrossOrigin(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('vary', 'origin');
    const { origin } = request.headers;
    if (!origin || !allowed.has(origin)) return done();
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', SHOWN);
    if (isPreflight(request)) return answerPreflight(reply);
    done();
  });
  // A route, because paths that nobody has are counted against the address of who asks for them.
  fastify.options('/*', (_request, reply) => reply.callNotFound());
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function answerPreflight(reply: FastifyReply): void {
  void reply
    .status(204)
    .header('access-control-allow-methods', METHODS)
    .header('access-control-allow-headers', ACCEPTED)
    .header('access-control-max-age', PREFLIGHT_SECONDS)
    .send();
}
