/** Something that happened to a policy and that an operator may want to know. Never holds data of a request. */
export interface PolicyEvent {
  /** Grows by one over all policies of the process; the cursor of `list`. */
  id: number;
  /** Wall clock, ISO 8601. */
  at: string;
  policy: string;
  type: string;
  /** Of a change of state. */
  from?: string;
  to?: string;
  detail?: Record<string, number | string | boolean>;
}

export type NewPolicyEvent = Omit<PolicyEvent, 'id' | 'at'>;

const KEPT_PER_POLICY = 1_000;
const LISTED = 100;

/** What happened lately, a bounded history for each policy, and a live tail. */
export class PolicyEvents {
  private readonly rings = new Map<string, Ring>();
  private readonly listeners = new Set<(event: PolicyEvent) => void>();
  private lastId = 0;

  /**
   * Oldest first.
   *
   * @param policy only its events; of all policies unless given
   * @param after only events with a greater id
   */
  list(policy?: string, after = 0, limit = LISTED): PolicyEvent[] {
    const rings = policy === undefined ? [...this.rings.values()] : [this.rings.get(policy)];
    return rings
      .flatMap((ring) => ring?.inOrder() ?? [])
      .filter(({ id }) => id > after)
      .sort((a, b) => a.id - b.id)
      .slice(0, limit);
  }

  /** The last changes of a policy's state, oldest first. */
  transitions(policy: string, limit: number): PolicyEvent[] {
    const events = this.rings.get(policy)?.inOrder() ?? [];
    return events.filter(({ to }) => to !== undefined).slice(-limit);
  }

  /** @returns ends the subscription */
  subscribe(listener: (event: PolicyEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  publish(event: NewPolicyEvent): void {
    const published = { id: ++this.lastId, at: new Date().toISOString(), ...event };
    let ring = this.rings.get(event.policy);
    if (!ring) this.rings.set(event.policy, (ring = new Ring()));
    ring.push(published);
    for (const listener of this.listeners) listener(published);
  }

  /** Forgets the history of a policy that is gone. */
  forget(policy: string): void {
    this.rings.delete(policy);
  }
}

class Ring {
  private readonly events: PolicyEvent[] = [];
  private next = 0;

  push(event: PolicyEvent): void {
    this.events[this.next] = event;
    this.next = (this.next + 1) % KEPT_PER_POLICY;
  }

  inOrder(): PolicyEvent[] {
    return [...this.events.slice(this.next), ...this.events.slice(0, this.next)];
  }
}
