import type { Clock } from '../clock.js';
import { isWorse, LEVELS, type ServiceLevel, worstLevel } from './service-level.js';

interface Reason {
  level: ServiceLevel;
  /** ISO 8601. */
  since: string;
  seenAt: number;
}

/** More than these are not told apart: a reason names a dependency, and there are few of them. */
const MAX_REASONS = 16;

/**
 * The worst level seen within a time, with the reasons. So it falls at once, and rises only after nothing worse was seen
 * for that long.
 */
export class LevelHistory {
  private readonly seenAt = new Map<ServiceLevel, number>();
  private readonly reasons = new Map<string, Reason>();

  constructor(
    private readonly clock: Clock,
    private readonly rememberMs: number,
  ) {}

  add(level: ServiceLevel, reason?: string): void {
    const seenAt = this.clock.now();
    this.seenAt.set(level, seenAt);
    if (level === 'full' || !reason) return;

    this.forget();
    const known = this.reasons.get(reason);
    const worst = known && isWorse(known.level, level) ? known.level : level;
    // Set anew, so that the first is the one not seen for longest.
    this.reasons.delete(reason);
    this.reasons.set(reason, { level: worst, since: known?.since ?? new Date().toISOString(), seenAt });
    if (this.reasons.size > MAX_REASONS) this.reasons.delete(this.reasons.keys().next().value!);
  }

  /** Since when a reason that was just added has been seen without a longer break; ISO 8601. */
  sinceOf(reason: string): string {
    return this.reasons.get(reason)!.since;
  }

  get level(): ServiceLevel {
    return worstLevel(...LEVELS.filter((level) => this.isRecent(this.seenAt.get(level))));
  }

  /** Worst first. */
  get activeReasons(): string[] {
    this.forget();
    const rank = ({ level }: Reason) => LEVELS.indexOf(level);
    return [...this.reasons].sort(([, a], [, b]) => rank(b) - rank(a)).map(([reason]) => reason);
  }

  private forget(): void {
    for (const [reason, { seenAt }] of this.reasons) if (!this.isRecent(seenAt)) this.reasons.delete(reason);
  }

  private isRecent(seenAt = -Infinity): boolean {
    return this.clock.now() - seenAt < this.rememberMs;
  }
}
