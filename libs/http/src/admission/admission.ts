import { Logger } from '@nestjs/common';
import { counter } from '#libs/observability';
import { type Clock, PRIORITIES, type Priority, type Random, systemClock } from '#libs/resilience';
import type { RateClassName, RateDeclaration } from '../declarations.js';
import { problem, type Problem } from '#libs/errors';
import { TooManyStreams } from '../http.errors.js';
import type { OpenStreams } from '../open-streams.js';
import type { Quotas, UsedUp } from '../quotas/index.js';
import type { Gate } from './gate.js';
import type { Pressure } from './pressure.js';

export interface RouteDeclaration {
  rate: RateDeclaration;
  priority: Priority;
  /** See `@Watcher`. */
  isWatcher?: boolean;
}

export interface Arriving {
  address: string;
  authorization?: string;
  /** Those that are open already; undefined where they are not counted. */
  streams?: OpenStreams;
}

/** What is answered at the door; no error, because there may be thousands in a second and errors are dear. */
export interface Refusal {
  status: 429 | 503;
  code: 'too-many-requests' | 'too-many-streams' | 'overloaded';
  detail: string;
  retryAfterMs: number;
  /** The one that is used up. */
  quota?: UsedUp;
}

/** The classes whose requests wait at the gate. */
const GATED: ReadonlySet<RateClassName> = new Set(['question', 'search']);
/** What no controller declares: unknown paths, and the documentation's. */
const UNDECLARED: RouteDeclaration = { rate: { name: 'read' }, priority: 'sheddable' };
const RETRY_AFTER_MS = 1_000;
/** Spread, or all who were refused together would come back together. */
const RETRY_JITTER_MS = 3_000;
const REPORT_EVERY_MS = 10_000;

const shedTotal = counter({
  name: 'navigator_shed_total',
  help: 'Requests that were refused because the process has too much to do, by priority and reason',
  labelNames: ['class', 'reason'],
});

/** Decides at the door, by what can be known of a request before its body and its credential are looked at. */
export class Admission {
  private readonly logger = new Logger('admission');
  private readonly routes = new Map<string, RouteDeclaration>();
  private unreported = 0;
  private reportedAt = -Infinity;

  constructor(
    readonly quotas: Quotas,
    readonly pressure: Pressure,
    readonly gate: Gate,
    private readonly deps: { clock?: Clock; random?: Random } = {},
  ) {}

  /** `route` as Fastify knows it: `POST /v1/documents`. */
  declare(route: string, declaration: RouteDeclaration): void {
    this.routes.set(route, declaration);
  }

  declarationOf(method: string, url: string | undefined): RouteDeclaration {
    return this.routes.get(`${method === 'HEAD' ? 'GET' : method} ${url}`) ?? UNDECLARED;
  }

  /** Why the request is refused; undefined lets it in. Takes microseconds and waits for nothing. */
  refusalOf(arriving: Arriving, declaration: RouteDeclaration): Refusal | undefined {
    const { rate, priority, isWatcher = false } = declaration;
    const { name: rateClass } = rate;
    const { address, authorization } = arriving;
    const quota = this.quotas.refusalAtDoor({ address, authorization, rateClass });
    if (quota) return tooMany(rateClass, quota);
    if (this.pressure.sheds(priority, this.random()))
      return overloaded(this.shed(priority, this.pressure.cause));
    // A credential's digest is not for nothing: only where the tenant may decide.
    const mayWait = GATED.has(rateClass) && this.gate.queued > 0;
    if (!mayWait && !isWatcher) return undefined;
    const tenantId = this.quotas.tenantOf(authorization);
    if (tenantId === undefined) return undefined;
    if (isWatcher && arriving.streams?.hasRoom(tenantId, { isWatcher }) === false) return TOO_MANY_STREAMS;
    const refusalMs = mayWait ? this.gate.refusalMs(tenantId) : undefined;
    return refusalMs === undefined ? undefined : overloaded(this.shed(priority, 'queue', refusalMs));
  }

  isGated(rateClass: RateClassName): boolean {
    return GATED.has(rateClass);
  }

  /** Counts a request that is refused. Returns the milliseconds after which its client may come back. */
  shed(priority: Priority, reason: string, retryAfterMs = RETRY_AFTER_MS): number {
    shedTotal.inc({ class: priority, reason });
    this.report();
    return Math.round(retryAfterMs + this.random() * RETRY_JITTER_MS);
  }

  /** One line for many: to write one for each would make it worse. */
  private report(): void {
    this.unreported++;
    const now = (this.deps.clock ?? systemClock).now();
    if (now - this.reportedAt < REPORT_EVERY_MS) return;
    const { value, cause } = this.pressure;
    this.logger.warn(
      { count: this.unreported, pressure: value, cause, waiting: this.gate.queued },
      'requests are shed',
    );
    this.unreported = 0;
    this.reportedAt = now;
  }

  private random(): number {
    return (this.deps.random ?? Math.random)();
  }
}

/** The problem document of a refusal. */
export function problemOfRefusal(
  { status, code, detail, retryAfterMs }: Refusal,
  requestId?: string,
): Problem {
  return { ...problem(status, code, detail, requestId), retry_after_ms: retryAfterMs };
}

const tooMany = (rateClass: RateClassName, quota: UsedUp): Refusal => ({
  status: 429,
  code: 'too-many-requests',
  detail: `There were too many ${rateClass} requests`,
  retryAfterMs: Math.ceil(quota.waitMs),
  quota,
});

const streams = new TooManyStreams();
const TOO_MANY_STREAMS: Refusal = {
  status: 429,
  code: streams.code,
  detail: streams.message,
  retryAfterMs: streams.retryAfterMs!,
};

const overloaded = (retryAfterMs: number): Refusal => ({
  status: 503,
  code: 'overloaded',
  detail: 'There is too much to do at the moment',
  retryAfterMs,
});

/** What the route declares, or less if the client says so: nobody makes himself more important. */
export function effectivePriority(declared: Priority, asked: unknown): Priority {
  const index = PRIORITIES.indexOf(asked as Priority);
  return index > PRIORITIES.indexOf(declared) ? PRIORITIES[index]! : declared;
}
