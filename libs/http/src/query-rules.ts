import type { FastifyInstance } from 'fastify';
import { problem } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { sendProblem } from './problem.filter.js';

/**
 * Refuses a query that says the same thing twice: which of the two counts would be another answer in every proxy, log
 * and filter on the way (parameter pollution). No route takes a list that way.
 */
export function registerQueryRules(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const values = Object.values(request.query as Record<string, unknown>);
    if (!values.some(Array.isArray)) return done();
    const detail = 'A parameter of the query is there more than once';
    sendProblem(reply, problem(400, 'duplicate-parameter', detail, currentContext()?.requestId));
  });
}
