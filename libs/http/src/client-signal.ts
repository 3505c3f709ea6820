import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '#libs/errors';
import { deadlineSignal } from '#libs/resilience';
import { InvalidDeadline } from './http.errors.js';

export const MAX_DEADLINE_MS = 120_000;

/** Aborts when the client leaves before it was answered, and when the time that it gave in `X-Deadline-Ms` is up. */
export const ClientSignal = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const http = context.switchToHttp();
  return clientSignal(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
});

export function clientSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const client = new AbortController();
  const deadlineMs = deadlineOf(request);
  const deadline =
    deadlineMs === undefined ? undefined : deadlineSignal(deadlineMs, { parent: client.signal });
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) client.abort(new ClientLeft());
    deadline?.clear();
  });
  return deadline?.signal ?? client.signal;
}

export class ClientLeft extends DomainError {
  readonly code = 'client-left';
  readonly kind = 'timeout' as const;
  constructor() {
    super('The client left before it was answered');
  }
}

/** @throws InvalidDeadline */
function deadlineOf({ headers }: FastifyRequest): number | undefined {
  const header = headers['x-deadline-ms'];
  if (header === undefined) return undefined;
  const milliseconds = Number(header);
  if (!Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > MAX_DEADLINE_MS)
    throw new InvalidDeadline(MAX_DEADLINE_MS);
  return milliseconds;
}
