import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerModuleOptions, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext } from '#libs/observability';
import { type RateDeclaration, rateDeclarationOf } from '../declarations.js';
import { TooManyRequests } from '../http.errors.js';
import { Gcra, QUOTA_PERIOD_MS } from './gcra.js';
import { Quotas } from './quotas.js';
import { setRateLimitHeaders } from './rate-limit-headers.js';
import { beginSettlement } from './settlement.js';

export function throttlerOptions({ limits }: Quotas): ThrottlerModuleOptions {
  return {
    throttlers: [{ ttl: QUOTA_PERIOD_MS, limit: (context) => limits[declarationOf(context).name] }],
    // What it asks of a storage, the guard below asks of `Quotas`, which know costs and whose they are.
    storage: new Gcra(),
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
  protected override async handleRequest({ context }: ThrottlerRequest): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { name, cost } = declarationOf(context);
    const { tenantId, userId, credentialId, quotaFactor } = currentContext()!;
    const caller = {
      tenantId: tenantId!,
      userId: userId!,
      credentialId: credentialId!,
      quotaFactor,
      authorization: request.headers.authorization!,
    };
    const units = cost?.(request) ?? 1;
    const taken = this.quotas.take(caller, name, units);
    const { totalHits, timeToExpire, isBlocked, timeToBlockExpire, demand } =
      taken instanceof Promise ? await taken : taken;
    const { limit, burst } = demand;
    setRateLimitHeaders(reply, { limit, burst, remaining: burst - totalHits, resetSeconds: timeToExpire });
    if (isBlocked) throw new TooManyRequests(name, timeToBlockExpire * 1_000);
    beginSettlement({ quotas: this.quotas, owner: caller, rateClass: name, units });
    return true;
  }
}

/** Every route has one, or the program does not start. */
function declarationOf(context: ExecutionContext): RateDeclaration {
  return rateDeclarationOf(context.getClass(), context.getHandler())!;
}
