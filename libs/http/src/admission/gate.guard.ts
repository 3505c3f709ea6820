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

interface Place {
  /** Gives it back; undefined once that was done. */
  release?: Release;
  /** Takes one again. */
  enter(): Promise<void>;
}

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
    const place: Place = { enter: () => this.enter(place, context, reply.raw) };
    await place.enter();
    context.state.set(PLACE, place);
    return true;
  }

  private async enter(place: Place, context: RequestContext, raw: FastifyReply['raw']): Promise<void> {
    const release = this.tryEnter(context) ?? (await this.wait(context, raw));
    place.release = release;
    raw.once('close', release);
    if (raw.destroyed) release();
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

/** Gives the place of the request under way to the next one, because it has nothing left to do but wait. */
export function leaveGate(): void {
  const place = placeOfRequest();
  place?.release?.();
  if (place) place.release = undefined;
}

/**
 * For a request that has left the gate and turns out to have something to do.
 *
 * @throws ServerOverloaded, ClientLeft
 */
export async function returnToGate(): Promise<void> {
  const place = placeOfRequest();
  if (place && !place.release) await place.enter();
}

const placeOfRequest = () => currentContext()?.state.get(PLACE) as Place | undefined;
