import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerModuleOptions, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext } from '#libs/observability';
import { type RateDeclaration, rateDeclarationOf } from '../declarations.js';
import { TooManyRequests } from '../http.errors.js';
import { burstOf, QUOTA_PERIOD_MS, Quotas } from './quotas.js';

export function throttlerOptions({ limits, gcra }: Quotas): ThrottlerModuleOptions {
  return {
    throttlers: [{ ttl: QUOTA_PERIOD_MS, limit: (context) => limits[declarationOf(context).name] }],
    storage: gcra,
  };
}

/**
 * Counts a request against its credential, once that is verified, so that people behind one address do not share a
 * quota. What has no credential was counted by its address at the door.
 */
@Injectable()
export class QuotaGuard extends ThrottlerGuard {
  @Inject(Quotas) private readonly quotas: Quotas;

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const isKnown = currentContext()?.credentialId !== undefined;
    return Promise.resolve(!isKnown || declarationOf(context).name === 'probe');
  }

  /** The library's own counts every request as one unit. */
  protected override handleRequest({ context, limit }: ThrottlerRequest): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { name, cost } = declarationOf(context);
    const { tenantId, credentialId } = currentContext()!;
    const caller = {
      tenantId: tenantId!,
      credentialId: credentialId!,
      authorization: request.headers.authorization!,
    };
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = this.quotas.take(
      caller,
      name,
      cost?.(request),
    );
    const burst = burstOf(limit);
    reply.header('ratelimit-policy', `${limit};w=${QUOTA_PERIOD_MS / 1_000};burst=${burst}`);
    reply.header('ratelimit-limit', limit);
    reply.header('ratelimit-remaining', Math.max(0, burst - totalHits));
    reply.header('ratelimit-reset', Math.ceil(timeToExpire));
    if (isBlocked) throw new TooManyRequests(name, timeToBlockExpire * 1_000);
    return Promise.resolve(true);
  }
}

/** Every route has one, or the program does not start. */
function declarationOf(context: ExecutionContext): RateDeclaration {
  return rateDeclarationOf(context.getClass(), context.getHandler())!;
}
