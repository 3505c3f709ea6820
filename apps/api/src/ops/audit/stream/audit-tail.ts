import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type AuditFilter, AuditLog, countSealed, tailAudit } from '#libs/audit';
import { AuthenticationFailed, Forbidden, type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { type DomainError, problemOf } from '#libs/errors';
import { openEventStream } from '#libs/http';
import { type AuditScope, tenantOf } from '../audit-events.service.js';
import { toStreamedEvent } from './audit-stream.dto.js';

/** Events that are looked at in one go. */
const BATCH = 200;
/** The sealer gives places about as often. */
const POLL_MS = 500;
/** How long somebody goes on reading whose credential was revoked, or who may not read the log any more. */
const VERIFY_EVERY_MS = 2_000;

export interface Tail {
  scope: AuditScope;
  filter: AuditFilter;
  /** Place of the last event that is known; undefined for what comes from now on. */
  after: number | undefined;
  /** Who is asking now, by the credential with which he asked first. @throws AuthenticationFailed */
  verify(): Promise<Principal>;
}

/** Tells one client what comes into the log, in the order of its tree, until he is gone or may not know any more. */
@Injectable()
export class AuditTail {
  constructor(
    private readonly db: TenantDb,
    private readonly log: AuditLog,
  ) {}

  /** @throws Forbidden, TooManyStreams before the stream is opened; afterwards everything is said in the stream */
  async follow(principal: Principal, tail: Tail, reply: FastifyReply): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const tenantId = tenantOf(principal, tail.scope);
    const sealed = await this.db.read(tenantId, (tx) => countSealed(tx, tenantId));
    // That he reads is recorded before he has read anything, and not when he has ended.
    await this.log.recordFirst();
    const stream = openEventStream(reply, { endsOnShutdown: true });
    let reached = Math.min(tail.after ?? Infinity, sealed - 1);
    for (let verifiedAt = performance.now(); !stream.closed;) {
      if (performance.now() - verifiedAt > VERIFY_EVERY_MS) {
        const refusal = await refusalOf(tail);
        if (refusal) {
          await stream.send('error', problemOf(refusal));
          break;
        }
        verifiedAt = performance.now();
      }
      const batch = await this.look(tenantId, tail.filter, reached, gone.signal);
      for (const line of batch.lines) await stream.send('audit', toStreamedEvent(line), line.leafIndex);
      // Who comes again need not have all that looked at once more of which nothing was for him.
      const isBehind = batch.reached > (batch.lines.at(-1)?.leafIndex ?? reached);
      if (isBehind && batch.reached - reached >= BATCH)
        await stream.send('position', { leaf_index: batch.reached }, batch.reached);
      if (batch.reached === reached)
        await delay(POLL_MS, undefined, { signal: gone.signal }).catch(() => undefined);
      reached = batch.reached;
    }
    stream.end();
  }

  /** Nothing while the database is away: the next look may succeed, and misses nothing. */
  private async look(tenantId: string, filter: AuditFilter, after: number, signal: AbortSignal) {
    try {
      return await this.db.read(tenantId, (tx) => tailAudit(tx, tenantId, filter, { after, limit: BATCH }), {
        signal,
      });
    } catch {
      return { lines: [], reached: after };
    }
  }
}

/** Why he may not go on. That nobody can say at the moment is no reason: then there is nothing to be read either. */
async function refusalOf({ scope, verify }: Tail): Promise<DomainError | undefined> {
  try {
    const principal = await verify();
    if (!principalAllows(principal, 'audit.read')) return new Forbidden('audit.read');
    tenantOf(principal, scope);
    return undefined;
  } catch (error) {
    return error instanceof AuthenticationFailed || error instanceof Forbidden ? error : undefined;
  }
}
