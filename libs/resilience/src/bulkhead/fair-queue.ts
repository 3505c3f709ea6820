import { PRIORITIES, type Priority } from '../call.js';
import { Linked, LinkedList } from './linked-list.js';

/** Who waits for a permit. */
export class Waiter extends Linked<Waiter> {
  constructor(
    readonly tenant: Tenant,
    readonly priority: Priority,
    readonly grant: () => void,
    /** Tells him that his place was given to somebody who matters more. */
    readonly refuse: () => void,
  ) {
    super();
  }
}

/** The permits and the waiters of one tenant; forgotten when it has neither. */
export class Tenant {
  inUse = 0;
  queued = 0;
  readonly lanes: Partial<Record<Priority, Lane>> = {};
  constructor(readonly id: string) {}
}

/** The waiters of one tenant and one priority, first come, first served. */
class Lane extends Linked<Lane> {
  readonly waiters = new LinkedList<Waiter>();
  constructor(readonly tenant: Tenant) {
    super();
  }
}

/**
 * Waiters by priority, and within a priority the tenants in turn. Every operation takes constant time, except that
 * tenants who may not be served now are stepped over.
 */
export class FairQueue {
  size = 0;
  private readonly byPriority = new Map(PRIORITIES.map((priority) => [priority, new LinkedList<Lane>()]));

  push(waiter: Waiter): void {
    const { tenant, priority } = waiter;
    const lane = (tenant.lanes[priority] ??= new Lane(tenant));
    if (!lane.list) this.lanes(priority).push(lane);
    lane.waiters.push(waiter);
    tenant.queued++;
    this.size++;
  }

  /** @returns false when the waiter was taken or had left before */
  remove(waiter: Waiter): boolean {
    const { tenant, priority } = waiter;
    const lane = tenant.lanes[priority];
    if (!lane?.waiters.remove(waiter)) return false;
    if (!lane.waiters.first) this.lanes(priority).remove(lane);
    tenant.queued--;
    this.size--;
    return true;
  }

  /** Takes the first waiter, in order of priority and turn, that both conditions allow. */
  take(mayTake: (priority: Priority) => boolean, mayServe: (tenant: Tenant) => boolean): Waiter | undefined {
    for (const [priority, lanes] of this.byPriority) {
      if (!lanes.first || !mayTake(priority)) continue;
      for (let lane: Lane | undefined = lanes.first; lane; lane = lane.next) {
        if (!mayServe(lane.tenant)) continue;
        const waiter = lane.waiters.first!;
        this.remove(waiter);
        // The tenant's next waiter comes after those of all others.
        if (lanes.remove(lane)) lanes.push(lane);
        return waiter;
      }
    }
    return undefined;
  }

  /** Who came last among those that matter less than `priority`, and least of them; of one tenant or of all. */
  leastImportantBelow(priority: Priority, tenant?: Tenant): Waiter | undefined {
    const lower = PRIORITIES.slice(PRIORITIES.indexOf(priority) + 1).toReversed();
    const lanes = lower.map((one) => (tenant ? tenant.lanes[one] : this.lanes(one).last));
    return lanes.find((lane) => lane?.waiters.last)?.waiters.last;
  }

  private lanes(priority: Priority): LinkedList<Lane> {
    return this.byPriority.get(priority)!;
  }
}
