import { createHash } from 'node:crypto';
import {
  type CallHandler,
  type ExecutionContext,
  HttpException,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { SECRET_RESPONSE } from './declarations.js';
import {
  IdempotencyKeyReused,
  IdempotentRequestInProgress,
  IdempotentResponseNotKept,
  InvalidIdempotencyKey,
} from './http.errors.js';
import { type Caller, IdempotencyKeys, type Stored } from './idempotency-keys.js';
import { setResourceId } from './resource-id.js';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * A POST that carries an `Idempotency-Key` is done once: its repeat within a day gets the first answer again. A
 * request that was refused is forgotten, so that it can be repeated in another form. When nobody knows whether it was
 * done (its connection to the database was lost at the commit, its answer could not be kept, its process was killed),
 * the repeat does it again with the same `newResourceId()`, and finds what was made instead of making another one.
 * Uploads and event streams pass: a document's id comes from its content, and a stream is resumed by its events' ids.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger(IdempotencyInterceptor.name);
  private readonly keys: IdempotencyKeys;
  private readonly underWay = new Set<string>();

  constructor(db: TenantDb) {
    this.keys = new IdempotencyKeys(db);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const caller = callerOf(request);
    if (!caller) return next.handle();
    const keepBody = !Reflect.getMetadata(SECRET_RESPONSE, context.getHandler());
    return from(
      this.once(caller, fingerprintOf(request), reply, () => this.work(caller, reply, next, keepBody)),
    );
  }

  private async once(
    caller: Caller,
    fingerprint: Buffer,
    reply: FastifyReply,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const name = JSON.stringify(caller);
    if (this.underWay.has(name)) throw new IdempotentRequestInProgress();
    this.underWay.add(name);
    try {
      const claim = await this.keys.claim(caller, fingerprint);
      if ('earlier' in claim) return replay(claim.earlier, fingerprint, reply);
      setResourceId(claim.resourceId);
      return await work();
    } finally {
      this.underWay.delete(name);
    }
  }

  private async work(
    caller: Caller,
    reply: FastifyReply,
    next: CallHandler,
    keepBody: boolean,
  ): Promise<unknown> {
    try {
      const body: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      // The work is done, whatever becomes of its record.
      const kept = this.keys.keepAnswer(caller, reply.statusCode, keepBody ? body : undefined);
      await kept.catch((cause: unknown) => this.warn(cause, 'an answer was not kept for its repeat'));
      return body;
    } catch (error) {
      const freed = didNothing(error) ? this.keys.forget(caller) : this.keys.release(caller);
      await freed.catch((cause: unknown) => this.warn(cause, 'a failed request kept its key'));
      throw error;
    }
  }

  private warn(error: unknown, message: string): void {
    this.logger.warn({ error: (error as Error).name }, message);
  }
}

/** A refusal is thrown instead of a change. Of every other failure nobody can say at what moment it came. */
function didNothing(error: unknown): boolean {
  // It was done, by a request before this one.
  if (error instanceof IdempotentResponseNotKept) return false;
  if (error instanceof DomainError) return error.kind !== 'unavailable' && error.kind !== 'timeout';
  return error instanceof HttpException && error.getStatus() < 500;
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
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null, withoutSecrets)}`)
    .digest();
}

/** A digest of a password is a way to guess it, so who repeats a request with another one gets the first answer. */
function withoutSecrets(name: string, value: unknown): unknown {
  return /password/i.test(name) ? '' : value;
}

function replay(earlier: Stored | undefined, fingerprint: Buffer, reply: FastifyReply): unknown {
  // Its request ended at this very moment.
  if (!earlier) throw new IdempotentRequestInProgress();
  if (!earlier.fingerprint.equals(fingerprint)) throw new IdempotencyKeyReused();
  if (earlier.status === null) throw new IdempotentRequestInProgress();
  if (earlier.body === null && earlier.status !== 204) throw new IdempotentResponseNotKept();
  void reply.status(earlier.status).header('idempotency-replayed', 'true');
  return earlier.body ?? undefined;
}
