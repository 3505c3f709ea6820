import { createHash } from 'node:crypto';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { TenantDb } from '#libs/database';
import { currentContext } from '#libs/observability';
import { SECRET_RESPONSE } from './declarations.js';
import {
  IdempotencyKeyReused,
  IdempotentRequestInProgress,
  IdempotentResponseNotKept,
  InvalidIdempotencyKey,
} from './http.errors.js';

interface Caller {
  tenantId: string;
  userId: string;
  key: string;
}
interface Stored {
  fingerprint: Buffer;
  status: number | null;
  body: unknown;
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * A POST that carries an `Idempotency-Key` is done once: its repeat within a day gets the first answer again. A
 * failed request is forgotten, so that it can be repeated. Uploads and event streams pass: a document's id comes
 * from its content, and a stream is resumed by its events' ids.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger(IdempotencyInterceptor.name);

  constructor(private readonly db: TenantDb) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const caller = callerOf(request);
    if (!caller) return next.handle();
    const keepBody = !Reflect.getMetadata(SECRET_RESPONSE, context.getHandler());
    return from(this.once(caller, request, reply, keepBody, next));
  }

  private async once(
    caller: Caller,
    request: FastifyRequest,
    reply: FastifyReply,
    keepBody: boolean,
    next: CallHandler,
  ) {
    const fingerprint = fingerprintOf(request);
    const earlier = await this.begin(caller, fingerprint);
    if (earlier) return replay(earlier, fingerprint, reply);
    let body: unknown;
    try {
      body = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      await this.forget(caller).catch((cause: unknown) => this.warn(cause, 'a failed request kept its key'));
      throw error;
    }
    // The work is done, whatever becomes of its record: freeing the key now would let a repeat do it twice.
    await this.finish(caller, reply.statusCode, keepBody ? body : undefined).catch((cause: unknown) =>
      this.warn(cause, 'an answer was not kept for its repeat'),
    );
    return body;
  }

  /** Claims the key; returns what an earlier request left under it. */
  private begin({ tenantId, userId, key }: Caller, fingerprint: Buffer): Promise<Stored | undefined> {
    return this.db.run(tenantId, async (tx) => {
      // A day is the promise, and nothing of the user's is kept for longer; a request that has been "under way" for
      // two minutes died with its process.
      await tx.query(
        `delete from idempotent_request where user_id = $1
           and (created_at < now() - interval '1 day'
             or key = $2 and status is null and created_at < now() - interval '2 minutes')`,
        [userId, key],
      );
      const claimed = await tx.query<unknown[]>(
        `insert into idempotent_request (tenant_id, user_id, key, fingerprint) values ($1, $2, $3, $4)
         on conflict do nothing returning key`,
        [tenantId, userId, key, fingerprint],
      );
      if (claimed.length > 0) return undefined;
      const [stored] = await tx.query<Stored[]>(
        `select fingerprint, status, body from idempotent_request where user_id = $1 and key = $2`,
        [userId, key],
      );
      return stored;
    });
  }

  private finish({ tenantId, userId, key }: Caller, status: number, body: unknown): Promise<void> {
    return this.db.run(tenantId, async (tx) => {
      await tx.query(`update idempotent_request set status = $3, body = $4 where user_id = $1 and key = $2`, [
        userId,
        key,
        status,
        body === undefined ? null : JSON.stringify(body),
      ]);
    });
  }

  private forget({ tenantId, userId, key }: Caller): Promise<void> {
    return this.db.run(tenantId, async (tx) => {
      await tx.query(`delete from idempotent_request where user_id = $1 and key = $2`, [userId, key]);
    });
  }

  private warn(error: unknown, message: string): void {
    this.logger.warn({ error: (error as Error).name }, message);
  }
}

function callerOf(request: FastifyRequest): Caller | undefined {
  const key = request.headers['idempotency-key'];
  const { tenantId, userId } = currentContext() ?? {};
  if (request.method !== 'POST' || key === undefined || !tenantId || !userId) return undefined;
  if (
    (request.headers['content-type'] ?? '').startsWith('multipart/') ||
    request.headers.accept?.includes('text/event-stream')
  )
    return undefined;
  if (typeof key !== 'string' || !VISIBLE_ASCII.test(key)) throw new InvalidIdempotencyKey();
  return { tenantId, userId, key };
}

function fingerprintOf(request: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest();
}

function replay(earlier: Stored, fingerprint: Buffer, reply: FastifyReply): unknown {
  if (!earlier.fingerprint.equals(fingerprint)) throw new IdempotencyKeyReused();
  if (earlier.status === null) throw new IdempotentRequestInProgress();
  if (earlier.body === null && earlier.status !== 204) throw new IdempotentResponseNotKept();
  void reply.status(earlier.status).header('idempotency-replayed', 'true');
  return earlier.body ?? undefined;
}
