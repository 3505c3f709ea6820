import { DependencyUnavailable } from '#libs/errors';
import type { Priority } from '../call.js';
import { type Clock, systemClock } from '../clock.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { FairQueue, Tenant, Waiter } from './fair-queue.js';

export interface BulkheadOptions {
  /** Calls under way at once. */
  concurrency: number;
  /** How many more may wait, all tenants together. */
  queue: number;
  /** How long one may wait before it is turned away. */
  maxWaitMs: number;
  /** 0 to 1: the share of the permits that a tenant may have while others, who have less, wait. */
  tenantShare: number;
  /** How many of one tenant may wait. Unless given, its share of the queue. */
  tenantQueue?: number;
  /** Permits that only `critical-plus` may take. */
  reserved: number;
  /** Lets overload lower the limit, down to `min`, and success raise it again, up to `concurrency`. */
  adaptive?: { min: number };
}

export interface BulkheadCall {
  /** Calls without one are of one tenant, who has no name. */
  tenantId?: string;
  priority: Priority;
  signal?: AbortSignal;
  /** Instead of the bulkhead's own, for work that nobody is waiting for. */
  maxWaitMs?: number;
}

/** Gives the permit back. Calling it again does nothing. */
export type Release = () => void;

const RETRY_AFTER_MS = 1_000;
/** Fewer at once than this is no gentle start but a queue in front of something that works. */
const LEAST_PART = 4;

/**
 * Limits how many calls to one dependency are under way, and lets a bounded number wait for a bounded time: the more
 * important first, and tenants in turn. No permit stays unused while a call waits that may have it.
 *
 * A permit that becomes free is given to a waiter at once, so that nobody who comes later can take it from him.
 */
export class Bulkhead {
  private readonly clock: Clock;
  private readonly tenants = new Map<string, Tenant>();
  private readonly queue = new FairQueue();
  private adaptive?: AdaptiveLimit;
  private limitShare = 1;
  private currentLimit: number;
  private used = 0;
  /** Permits in the hands of calls that are not `critical-plus`. */
  private ordinary = 0;

  constructor(
    private options: BulkheadOptions,
    private readonly deps: { name: string; clock?: Clock },
  ) {
    this.clock = deps.clock ?? systemClock;
    this.currentLimit = options.concurrency;
    this.update(options);
  }

  /** Calls that may be under way at the moment. */
  get limit(): number {
    return this.currentLimit;
  }

  get inUse(): number {
    return this.used;
  }

  get queued(): number {
    return this.queue.size;
  }

  /** A permit if there is one at once, without a promise; else `acquire` waits for it. */
  tryAcquire({ tenantId = '', priority }: BulkheadCall): Release | undefined {
    // Whoever waits was told that there is no permit for him, and nothing has changed since: nobody is overtaken.
    return this.isFree(priority) ? this.take(this.tenant(tenantId), priority) : undefined;
  }

  /**
   * A permit, at once or after waiting. Every permit must be given back, whatever becomes of the call.
   *
   * @throws DependencyUnavailable with the reason `queue-full` or `queue-timeout`; the signal's reason
   */
  async acquire(call: BulkheadCall): Promise<Release> {
    call.signal?.throwIfAborted();
    return this.tryAcquire(call) ?? this.wait(call);
  }

  /** A call succeeded. To be told before its permit is given back. */
  onSuccess(): void {
    if (!this.adaptive) return;
    this.adaptive.onSuccess(this.used);
    this.resize();
  }

  /** The dependency said that it has too much to do. */
  onOverload(): void {
    this.adaptive?.onOverload();
    this.resize();
  }

  /** 0 to 1: lets only a part of the limit through, for a dependency that has just come back. */
  setLimitShare(share: number): void {
    this.limitShare = share;
    this.resize();
  }

  /** Takes effect for the calls to come; who waits and who is under way stays. */
  update(options: BulkheadOptions): void {
    const { adaptive, concurrency } = options;
    if (!adaptive) this.adaptive = undefined;
    else if (this.adaptive) this.adaptive.update(adaptive.min, concurrency);
    else this.adaptive = new AdaptiveLimit(adaptive.min, concurrency, this.clock);
    this.options = options;
    this.resize();
  }

  private resize(): void {
    const limit = this.adaptive?.value ?? this.options.concurrency;
    const part = Math.max(LEAST_PART, Math.floor(limit * this.limitShare));
    this.currentLimit = Math.max(1, Math.min(limit, part));
    this.dispatch();
  }

  private isFree(priority: Priority): boolean {
    if (this.used >= this.currentLimit) return false;
    // One permit is left to the others, however small the limit has become.
    return (
      priority === 'critical-plus' || this.ordinary < Math.max(1, this.currentLimit - this.options.reserved)
    );
  }

  private take(tenant: Tenant, priority: Priority): Release {
    const ordinary = priority === 'critical-plus' ? 0 : 1;
    this.used++;
    this.ordinary += ordinary;
    tenant.inUse++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.used--;
      this.ordinary -= ordinary;
      tenant.inUse--;
      if (this.queue.size > 0) this.dispatch();
      this.forgetIfIdle(tenant);
    };
  }

  /** Gives every free permit to a waiter: first to tenants who have less than their share, then to anybody. */
  private dispatch(): void {
    const mayTake = (priority: Priority) => this.isFree(priority);
    const share = Math.max(1, Math.ceil(this.currentLimit * this.options.tenantShare));
    const hasLess = (tenant: Tenant) => tenant.inUse < share;
    while (this.queue.size > 0 && this.used < this.currentLimit) {
      const next = this.queue.take(mayTake, hasLess) ?? this.queue.take(mayTake, () => true);
      if (!next) return;
      next.grant();
    }
  }

  private wait({
    tenantId = '',
    priority,
    signal,
    maxWaitMs = this.options.maxWaitMs,
  }: BulkheadCall): Promise<Release> {
    if (!this.makeRoom(tenantId, priority)) throw this.refusal('queue-full');
    const tenant = this.tenant(tenantId);
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimer();
        signal?.removeEventListener('abort', leave);
      };
      const refuse = (error: unknown) => {
        if (!this.queue.remove(waiter)) return;
        settle();
        this.forgetIfIdle(tenant);
        reject(error as Error);
      };
      const grant = () => {
        settle();
        resolve(this.take(tenant, priority));
      };
      const waiter = new Waiter(tenant, priority, grant, () => refuse(this.refusal('queue-full')));
      const leave = () => refuse(signal!.reason);
      const clearTimer = this.clock.after(maxWaitMs, () => refuse(this.refusal('queue-timeout')));
      signal?.addEventListener('abort', leave, { once: true });
      this.queue.push(waiter);
    });
  }

  /** In a full queue a waiter who matters less gives up his place; a tenant with its share of it, one of its own. */
  private makeRoom(tenantId: string, priority: Priority): boolean {
    const { queue, tenantShare, tenantQueue = Math.ceil(queue * tenantShare) } = this.options;
    const tenant = this.tenants.get(tenantId);
    const ownIsFull = (tenant?.queued ?? 0) >= tenantQueue;
    if (!ownIsFull && this.queue.size < queue) return true;
    const loser = this.queue.leastImportantBelow(priority, ownIsFull ? tenant : undefined);
    loser?.refuse();
    return loser !== undefined;
  }

  private tenant(id: string): Tenant {
    let tenant = this.tenants.get(id);
    if (!tenant) this.tenants.set(id, (tenant = new Tenant(id)));
    return tenant;
  }

  private forgetIfIdle(tenant: Tenant): void {
    if (tenant.inUse === 0 && tenant.queued === 0) this.tenants.delete(tenant.id);
  }

  private refusal(reason: 'queue-full' | 'queue-timeout'): DependencyUnavailable {
    const retryAfterMs = Math.max(RETRY_AFTER_MS, this.options.maxWaitMs);
    return new DependencyUnavailable(this.deps.name, { reason, retryAfterMs });
  }
}
