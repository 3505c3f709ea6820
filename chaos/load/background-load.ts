import { setTimeout as delay } from 'node:timers/promises';
import { pick, seeded } from '../harness/random.js';
import type { Tenant } from '../harness/tenants.js';
import type { Call, Client } from './client.js';
import { anyCall, WRITES } from './operations.js';

/**
 * Calls at a fixed rate, whatever becomes of those before (open loop). Writes that were not acknowledged are sent again
 * with their key until they are.
 */
export class BackgroundLoad {
  private readonly stopping = new AbortController();
  private readonly insisting = new AbortController();
  private readonly open = new Set<Promise<unknown>>();
  private readonly ticking: Promise<void>;

  constructor(
    private readonly client: Client,
    private readonly tenants: readonly Tenant[],
    private readonly options: {
      perSecond: number;
      seed: number;
      make?: (tenant: Tenant, random: () => number) => Call;
    },
  ) {
    this.ticking = this.tick();
  }

  /** No new calls; resolves when those under way have their outcome. Unacknowledged writes have `graceMs` left. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    await this.ticking;
    const limit = setTimeout(() => this.insisting.abort(), graceMs);
    await Promise.all(this.open);
    clearTimeout(limit);
  }

  private async tick(): Promise<void> {
    const random = seeded(this.options.seed);
    const make = this.options.make ?? anyCall;
    const startedAt = performance.now();
    for (let n = 1; !this.stopping.signal.aborted; n++) {
      this.begin(make(pick(random, this.tenants), random));
      const wait = startedAt + (n * 1_000) / this.options.perSecond - performance.now();
      await delay(Math.max(0, wait), undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private begin(call: Call): void {
    const done = WRITES.has(call.kind)
      ? this.client.insist(call, this.insisting.signal)
      : this.client.send(call);
    const watched: Promise<unknown> = done.finally(() => this.open.delete(watched));
    this.open.add(watched);
  }
}
