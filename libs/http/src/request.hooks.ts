import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { counter, histogram, newContext, runInContext } from '#libs/observability';
import { wasRefusedAtDoor } from './admission/index.js';

const ACCEPTED_ID = /^[A-Za-z0-9._-]{8,64}$/;
const logger = new Logger('http');

const requests = counter({
  name: 'navigator_http_requests_total',
  help: 'Requests by route and status',
  labelNames: ['method', 'route', 'status'],
});
const durations = histogram({
  name: 'navigator_http_request_seconds',
  help: 'Time from the first byte of a request to the last of its response',
  labelNames: ['method', 'route'],
});

/**
 * Gives each request its context and ids, and one log line and its metrics at the end. Fastify hooks, because they
 * cost a fraction of an interceptor and also see requests that no route takes.
 */
export function registerRequestHooks(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const requestId = acceptedId(request.headers['x-request-id']) ?? randomUUID();
    const context = newContext({
      requestId,
      correlationId: acceptedId(request.headers['x-correlation-id']),
    });
    context.route = `${request.method} ${routeOf(request)}`;
    context.client = { address: request.ip, agent: request.headers['user-agent'] };
    reply.header('x-request-id', requestId);
    runInContext(context, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    observe(request, reply);
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    logger.log({ method: request.method, route: routeOf(request), status: 499 }, 'the client left');
    done();
  });
}

function observe(request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request);
  const status = reply.statusCode;
  const milliseconds = reply.elapsedTime;
  requests.inc({ method: request.method, route, status });
  if (wasRefusedAtDoor(request)) return;
  durations.observe({ method: request.method, route }, milliseconds / 1_000);
  const line = { method: request.method, route, status, duration_ms: Math.round(milliseconds * 10) / 10 };
  if (status >= 500) logger.warn(line, 'request');
  else if (route.startsWith('/health') || route === '/metrics') logger.debug(line, 'request');
  else logger.log(line, 'request');
}

/** The route's pattern: a URL would carry ids and whatever else a client puts there. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions?.url ?? 'unknown';
}

function acceptedId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && ACCEPTED_ID.test(header) ? header : undefined;
}
