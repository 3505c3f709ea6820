import type { FastifyInstance } from 'fastify';
import { appliedRules, FAULT_TAG_HEADER, setTag } from './fault-context.js';
import type { Faults } from './faults.js';

const ECHO_HEADER = 'x-fault';

/**
 * Takes the tag from each request, names the rules that hit it in `X-Fault`, and tells how it ended. Register it after
 * the hooks that open the request's context. Where faults are off, it registers nothing.
 */
export function registerFaultHooks(fastify: FastifyInstance, faults: Faults): void {
  if (!faults.enabled) return;
  fastify.addHook('onRequest', (request, _reply, done) => {
    setTag(request.headers[FAULT_TAG_HEADER]);
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    const applied = appliedRules();
    if (applied.length > 0) reply.header(ECHO_HEADER, applied.join(', '));
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    if (isOfUsers(request.routeOptions?.url)) faults.answered(reply.statusCode >= 500);
    done();
  });
}

/** Probes and operators look more often while something is wrong; how they fare is no measure of the harm. */
function isOfUsers(route = ''): boolean {
  return route.startsWith('/v1/') && !route.startsWith('/v1/admin/');
}
