import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext, type RequestContext } from '#libs/observability';
import type { Release } from '#libs/resilience';
import { rateDeclarationOf } from '../declarations.js';
import { ServerOverloaded } from '../http.errors.js';
import { openStreamsOf } from '../open-streams.js';
import { ClientLeft } from '../client-signal.js';
import { Admission } from './admission.js';

const PLACE = Symbol('place at the gate');

/**
 * Lets expensive requests wait for their turn, last of the guards: now it is known whose they are. The place is given
 * back with the end of the response, or when it has become a stream: that waits for its model and not for us.
 */
@Injectable()
export class GateGuard implements CanActivate {
  constructor(private readonly admission: Admission) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const rate = rateDeclarationOf(execution.getClass(), execution.getHandler());
    const context = currentContext();
    if (!rate || !this.admission.isGated(rate.name) || context?.tenantId === undefined) return true;
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    // Before the work is done that its stream would be refused for.
    if (request.headers.accept?.includes('text/event-stream'))
      openStreamsOf(reply)?.assertRoom(context.tenantId);
    const { raw } = reply;
    const release = this.tryEnter(context) ?? (await this.wait(context, raw));
    context.state.set(PLACE, release);
    raw.once('close', release);
    if (raw.destroyed) release();
    return true;
  }

  private tryEnter({ tenantId, priority = 'critical' }: RequestContext): Release | undefined {
    return this.admission.gate.tryEnter({ tenantId, priority });
  }

  private async wait(
    { tenantId, priority = 'critical' }: RequestContext,
    raw: FastifyReply['raw'],
  ): Promise<Release> {
    const left = new AbortController();
    const leave = () => left.abort(new ClientLeft());
    raw.once('close', leave);
    try {
      return await this.admission.gate.wait({ tenantId: tenantId!, priority, signal: left.signal });
    } catch (error) {
      if (!(error instanceof ServerOverloaded)) throw error;
      throw new ServerOverloaded(this.admission.shed(priority, 'queue', error.retryAfterMs));
    } finally {
      raw.off('close', leave);
    }
  }
}

/** Gives the place of the request under way to the next one. */
export function leaveGate(): void {
  (currentContext()?.state.get(PLACE) as Release | undefined)?.();
}
