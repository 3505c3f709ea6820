import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { auditDetail, AuditLog, AuditUnavailable } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { listen, type Listener, TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { type Clock, PolicyRegistry, systemClock } from '#libs/resilience';
import { isInForce, MODE_OF, type NewOrder, type Order } from './order.js';
import { listOrders, ORDERS_CHANNEL, saveOrder } from './order.store.js';
import { FleetUnreachable, OrderOutdated, PolicyNotFound } from './resilience.errors.js';

/** A notification that is lost costs no more than this. */
const POLL_MS = 5_000;

export interface OrderTaken {
  order: Order;
  /** False when the same override was in force already. */
  changed: boolean;
  /** Where the audit record is: `disk` while the database is away; it is written to the log when that is back. */
  recorded: 'log' | 'disk';
}

/**
 * Operators' orders to policies. Those to the fleet are kept in the database, reach every process by a notification or
 * the next poll, and hold after a restart until their time is up. Those to one replica stay in its memory. Without the
 * database every process goes on with what it knows: that is never an error.
 */
export class ResilienceOverrides implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(ResilienceOverrides.name);
  /** The last orders that this process has carried out, by policy. */
  private readonly fleet = new Map<string, Order>();
  private readonly local = new Map<string, Order>();
  private listener?: Listener;
  private stopPolling?: () => void;
  private refreshing?: Promise<void>;
  private refreshAgain = false;
  private loaded = false;
  private inTouch = false;

  /** @param control reads past the policy of the database, so that the order to isolate that one can be lifted again */
  constructor(
    private readonly db: TenantDb,
    private readonly control: Pick<TenantDb, 'runAsOperator'>,
    private readonly policies: PolicyRegistry,
    private readonly audit: AuditLog,
    private readonly databaseUrl: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Before the process says that it is ready. */
  async onModuleInit(): Promise<void> {
    this.listener = listen(this.databaseUrl, ORDERS_CHANNEL, () => void this.refresh());
    await this.refresh();
    this.poll();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopPolling?.();
    this.stopPolling = undefined;
    await this.listener?.close();
    await this.refreshing;
  }

  /** Whether the last look at the fleet's orders succeeded. */
  get fleetReached(): boolean {
    return this.inTouch;
  }

  /** The fleet's last order for a policy, and this replica's own where one is more recent. */
  ordersFor(policy: string): { fleet?: Order; replica?: Order } {
    return { fleet: this.fleet.get(policy), replica: this.local.get(policy) };
  }

  /** What overrides the policy in this process at the moment. */
  inForce(policy: string): Order | undefined {
    const order = this.local.get(policy) ?? this.fleet.get(policy);
    return order && isInForce(order) ? order : undefined;
  }

  listInForce(): Order[] {
    return [...new Set([...this.fleet.keys(), ...this.local.keys()])]
      .map((policy) => this.inForce(policy))
      .filter((order) => order !== undefined);
  }

  /** Grows with every order to the fleet. */
  get version(): number {
    return [...this.fleet.values()].reduce((sum, { version }) => sum + version, 0);
  }

  /**
   * @throws PolicyNotFound
   * @throws OrderOutdated when `ifVersion` is not the policy's version
   * @throws FleetUnreachable when an order to the fleet cannot be kept; nothing was changed
   */
  async give(principal: Principal, order: NewOrder): Promise<OrderTaken> {
    if (!this.isKnown(order.policy)) throw new PolicyNotFound();
    const { policy, action, scope, reason, ticket, ttlSeconds } = order;
    const ttl_seconds = MODE_OF[action] && ttlSeconds;
    auditDetail({
      targets: [{ type: 'policy', id: policy }],
      detail: { scope, reason, ticket, ttl_seconds },
    });
    return scope === 'fleet' ? this.giveFleet(principal, order) : this.giveReplica(principal, order);
  }

  /** Carries out what the fleet was ordered since the last look. Looks that are asked for meanwhile share one more. */
  refresh(): Promise<void> {
    this.refreshAgain = true;
    this.refreshing ??= this.refreshAll().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async giveFleet({ tenantId, userId }: Principal, order: NewOrder): Promise<OrderTaken> {
    try {
      const taken = await this.db.changeAsOperator(tenantId, async (tx) => {
        const saved = await saveOrder(tx, userId, order);
        auditDetail({ detail: { version: saved.order.version, changed: saved.changed } });
        return saved;
      });
      this.carryOut(taken.order);
      // It was the fleet's order already, but this replica has been given another one of its own since.
      if (!taken.changed && this.local.delete(order.policy)) this.apply(taken.order);
      return { ...taken, recorded: 'log' };
    } catch (error) {
      const isAway = error instanceof DomainError && error.kind === 'unavailable';
      throw isAway && !(error instanceof AuditUnavailable) ? new FleetUnreachable(error) : error;
    }
  }

  /** The record comes first: no change without it, also when only the disk can take it. */
  private async giveReplica({ userId }: Principal, order: NewOrder): Promise<OrderTaken> {
    const { policy, ifVersion } = order;
    const version = this.fleet.get(policy)?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) throw new OrderOutdated(version);
    const fresh = orderOf(order, version, userId);
    const last = this.local.get(policy);
    const changed = !(last && isInForce(last) && isSame(last, fresh));
    auditDetail({ detail: { changed } });
    const { spooled } = await this.audit.recordFirst();
    if (changed) {
      this.local.set(policy, fresh);
      this.apply(fresh);
    }
    return { order: changed ? fresh : last!, changed, recorded: spooled ? 'disk' : 'log' };
  }

  private poll(): void {
    this.stopPolling = this.clock.after(POLL_MS, () => {
      void this.refresh().then(() => {
        this.reconcile();
        if (this.stopPolling) this.poll();
      });
    });
  }

  /**
   * Where this replica's own override is over, the fleet's holds again; and a policy that was forgotten because nobody
   * used it, and made anew, knows of none.
   */
  private reconcile(): void {
    for (const [policy, order] of this.local)
      if (order.expiresAt && !isInForce(order)) this.local.delete(policy);
    for (const order of this.listInForce())
      if (this.isKnown(order.policy) && this.policies.policy(order.policy).state !== MODE_OF[order.action])
        this.apply(order);
  }

  private async refreshAll(): Promise<void> {
    while (this.refreshAgain) {
      this.refreshAgain = false;
      try {
        for (const order of await this.control.runAsOperator(listOrders)) this.carryOut(order);
        this.loaded = true;
        this.inTouch = true;
      } catch (error) {
        if (this.inTouch)
          this.logger.warn({ reason: (error as Error).name }, 'orders of the fleet cannot be read');
        this.inTouch = false;
      }
    }
  }

  /** Each order once. One for a policy that is not here (yet) is looked at again the next time. */
  private carryOut(order: Order): void {
    const { policy, version } = order;
    const seen = this.fleet.get(policy);
    if (!this.isKnown(policy) || (seen && seen.version >= version)) return;
    this.fleet.set(policy, order);
    this.local.delete(policy);
    // What was ordered before this process began is not done to it, unless it holds on.
    if (this.loaded || isInForce(order)) this.apply(order);
  }

  private apply(order: Order): void {
    const { policy: name, action, by, reason, expiresAt } = order;
    const mode = MODE_OF[action];
    this.policies.override(
      name,
      mode && isInForce(order) ? { mode, by, reason, expiresAt: expiresAt! } : null,
    );
    if (action === 'close') this.policies.policy(name).close();
    if (action === 'reset') this.policies.policy(name).reset();
    this.logger.warn({ policy: name, action, scope: order.scope }, 'an operator gave an order to a policy');
  }

  private isKnown(policy: string): boolean {
    return this.policies.list().some(({ name }) => name === policy);
  }
}

/** To this replica, from now on. */
function orderOf(
  { policy, action, reason, ticket, ttlSeconds }: NewOrder,
  version: number,
  by: string,
): Order {
  const at = new Date();
  const expiresAt = MODE_OF[action] && new Date(at.getTime() + ttlSeconds * 1_000);
  return { policy, action, scope: 'replica', version, by, reason, ticket, at, expiresAt };
}

/** But for when it was given. */
function isSame(a: Order, b: Order): boolean {
  const ttl = ({ at, expiresAt }: Order) => expiresAt && expiresAt.getTime() - at.getTime();
  return (
    a.action === b.action &&
    a.by === b.by &&
    a.reason === b.reason &&
    a.ticket === b.ticket &&
    ttl(a) === ttl(b)
  );
}
