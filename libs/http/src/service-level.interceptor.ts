import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { isReadOnly } from '#libs/audit';
import {
  currentDegradations,
  LEVELS,
  ServiceLevelNotMet,
  type ServiceLevel,
  worstLevel,
} from '#libs/resilience';
import { leaveGate } from './admission/index.js';
import { InvalidServiceLevel } from './http.errors.js';

/** What `X-Min-Service-Level` asks for: rather an error than less. */
export const MinServiceLevel = createParamDecorator((_: unknown, context: ExecutionContext) =>
  minServiceLevelOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** @throws InvalidServiceLevel */
export function minServiceLevelOf({ headers }: FastifyRequest): ServiceLevel | undefined {
  const header = headers['x-min-service-level'];
  if (header === undefined) return undefined;
  const level = LEVELS.find((name) => name === header);
  if (!level || level === 'unavailable') throw new InvalidServiceLevel();
  return level;
}

/**
 * Says in headers at which level a request was served, and refuses to serve a read below the level that the client
 * asked for. What changes something is refused before it is done, or not at all: an error after the deed would lie.
 */
@Injectable()
export class ServiceLevelInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const reads = request.method === 'GET' || isReadOnly(context.getHandler());
    const atLeast = minServiceLevelOf(request);
    return next.handle().pipe(
      map((body: unknown) => {
        // The work is done. What is still waited for is its record, which others need not wait for.
        leaveGate();
        if (reply.raw.headersSent) return body;
        const level = levelOf(body);
        if (reads && atLeast && worstLevel(level, atLeast) !== atLeast)
          throw new ServiceLevelNotMet(atLeast, level);
        setServiceHeaders(reply, body, level);
        return body;
      }),
    );
  }
}

function setServiceHeaders(reply: FastifyReply, body: unknown, level: ServiceLevel): void {
  const { served_by } = (body ?? {}) as { served_by?: unknown };
  reply.header('x-service-level', level);
  if (typeof served_by !== 'string') return;
  reply.header('x-cache', served_by.startsWith('cache') ? 'hit' : 'miss');
  if (served_by.includes(':')) reply.header('x-model-used', served_by);
}

/** What the body says of itself, else the worst that was noted while the request was served. */
function levelOf(body: unknown): ServiceLevel {
  const { service_level } = (body ?? {}) as { service_level?: ServiceLevel };
  return service_level ?? worstLevel('full', ...currentDegradations().map(({ level }) => level));
}
