import { TransientFailure } from '#libs/errors';
import type { Clock } from '#libs/resilience';
import type { Drawing, QuotaStore, Standing } from '../../libs/http/src/quotas/quota-store.js';

/** What the script in Redis does, in memory, so many milliseconds away; each process has a door of its own. */
export class MemoryQuotaStore {
  readonly wholeAt = new Map<string, number>();
  exchanges = 0;
  private isAway = false;
  private readonly members = new Set<number>();
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly clock: Clock & { sleep(ms: number): Promise<void> },
    private readonly latencyMs = 1,
  ) {}

  /** @param process counted from its first exchange on */
  doorOf(process: number): QuotaStore {
    return {
      exchange: (drawings) => this.exchange(process, drawings),
      onLost: (listener) => void this.listeners.push(listener),
    };
  }

  /** All that it knew is gone, as after a restart. */
  lose(): void {
    this.isAway = true;
    this.wholeAt.clear();
    for (const listener of this.listeners) listener();
  }

  comeBack(): void {
    this.isAway = false;
  }

  private async exchange(process: number, drawings: readonly Drawing[]): Promise<Standing> {
    if (this.isAway) throw new TransientFailure('away');
    await this.clock.sleep(this.latencyMs);
    if (this.isAway) throw new TransientFailure('away');
    this.exchanges += 1;
    this.members.add(process);
    const now = this.clock.now();
    const before = drawings.map(({ key, knownMs, spentMs }) =>
      Math.max(0, Math.max((this.wholeAt.get(key) ?? 0) - now, knownMs) + spentMs),
    );
    const isGranted = drawings.every(
      ({ askedMs, burstMs }, i) => askedMs === 0 || before[i]! + askedMs <= burstMs + 0.01,
    );
    const usedMs = before.map((ms, i) => ms + (isGranted ? drawings[i]!.askedMs : 0));
    for (const [i, { key }] of drawings.entries()) this.wholeAt.set(key, now + usedMs[i]!);
    await this.clock.sleep(this.latencyMs);
    return { isGranted, usedMs, processes: this.members.size };
  }
}
