import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';

/** Sets the headers that say how an answer was made, from the members of the body that say the same. */
@Injectable()
export class ServiceLevelInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((body: unknown) => {
        if (!reply.raw.headersSent) setServiceHeaders(reply, body);
        return body;
      }),
    );
  }
}

export function setServiceHeaders(reply: FastifyReply, body: unknown): void {
  const { service_level, served_by } = (body ?? {}) as { service_level?: unknown; served_by?: unknown };
  reply.header('x-service-level', typeof service_level === 'string' ? service_level : 'full');
  if (typeof served_by !== 'string') return;
  reply.header('x-cache', served_by === 'cache' ? 'hit' : 'miss');
  if (served_by.includes(':')) reply.header('x-model-used', served_by);
}
