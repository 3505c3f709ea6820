import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { gauge } from '#libs/observability';
import { type Clock, type Priority, systemClock } from '#libs/resilience';

/** One way in which a process can be full. */
export interface PressureSignal {
  readonly name: string;
  /** Since the last reading; 1 is full, and it may be more. */
  read(): number;
}

const LOOP = 'event-loop';
const SAMPLE_MS = 100;
/**
 * Shares of the way to a new reading. What is full for two thirds of a second counts as full, and one pause of 0.1 s, as
 * every collection of garbage may be, as nothing; down more slowly, so that waves are not let in and out with them.
 */
const RISE = 0.2;
const FALL = 0.1;
/** Of one reading: a stall of any length is over when it is seen, and must not be held against what comes for long. */
const MOST = 8;
/** The least important is given up first; critical-plus never is. */
const SHED_ABOVE: Record<Priority, number> = {
  'critical-plus': Infinity,
  critical: 0.95,
  'sheddable-plus': 0.88,
  sheddable: 0.8,
};
/** So far above its threshold nearly all of `critical` is shed; never all, so that an end is noticed. */
const CRITICAL_SPAN = 0.5;
const MOST_OF_CRITICAL = 0.9;

const gauges = gauge({
  name: 'navigator_pressure',
  help: 'How full the process is, by signal; requests are shed from 0.8 on',
  labelNames: ['signal'],
});

/** How full this process is: the highest of its signals, smoothed. Asking costs nothing that is worth counting. */
export class Pressure {
  private readonly levels = new Map<string, number>();
  private highest = { name: 'none', level: 0 };
  private stopTimer?: () => void;
  private dueAt = Infinity;

  constructor(
    private readonly signals: readonly PressureSignal[],
    private readonly deps: { loopDelayMs: number; onSample?: (value: number) => void; clock?: Clock },
  ) {}

  start(): void {
    const clock = this.deps.clock ?? systemClock;
    this.dueAt = clock.now() + SAMPLE_MS;
    this.stopTimer = clock.after(SAMPLE_MS, () => {
      this.sample();
      this.deps.onSample?.(this.highest.level);
      this.start();
    });
  }

  close(): void {
    this.stopTimer?.();
    this.dueAt = Infinity;
  }

  /** 0 is idle, 1 is full. */
  get value(): number {
    return Math.max(this.highest.level, this.overdue());
  }

  /** The signal that is the highest. */
  get cause(): string {
    return this.overdue() > this.highest.level ? LOOP : this.highest.name;
  }

  /** Whether work of this priority is given up at the moment. `chance` is a random number from 0 to 1. */
  sheds(priority: Priority, chance: number): boolean {
    const excess = this.value - SHED_ABOVE[priority];
    if (excess <= 0) return false;
    return priority !== 'critical' || chance < Math.min(MOST_OF_CRITICAL, excess / CRITICAL_SPAN);
  }

  private sample(): void {
    // The histogram of delays may hear of a stall only after its first sample.
    const late = this.overdue();
    this.highest = { name: 'none', level: 0 };
    for (const { name, read } of this.signals) {
      const reading = Math.min(MOST, Math.max(read(), name === LOOP ? late : 0));
      const before = this.levels.get(name) ?? 0;
      const level = before + (reading - before) * (reading > before ? RISE : FALL);
      this.levels.set(name, level);
      gauges.set({ signal: name }, level);
      if (level > this.highest.level) this.highest = { name, level };
    }
  }

  /** What came in during a stall is looked at before the next sample is taken: that one is late by as much. */
  private overdue(): number {
    const lateMs = (this.deps.clock ?? systemClock).now() - this.dueAt;
    return lateMs > 0 ? Math.min(MOST, lateMs / this.deps.loopDelayMs) : 0;
  }
}

const DELAY_RESOLUTION_MS = 20;

/** The 99th percentile of how late the event loop is. */
export function loopDelaySignal(fullMs: number): PressureSignal {
  const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  histogram.enable();
  return {
    name: LOOP,
    read() {
      const delayMs = histogram.percentile(99) / 1e6 - DELAY_RESOLUTION_MS;
      histogram.reset();
      return Math.max(0, delayMs / fullMs);
    },
  };
}

/**
 * A loop that is never idle does all that it can, which is no overload as long as it is not late: by itself this
 * signal stays below what sheds anything. It tells those who do optional work that there is no time to spare.
 */
const UTILISATION_WEIGHT = 0.75;

export function utilisationSignal(): PressureSignal {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  return {
    name: 'utilisation',
    read() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization * UTILISATION_WEIGHT;
    },
  };
}

export function heapSignal(): PressureSignal {
  return {
    name: 'heap',
    read() {
      const { used_heap_size, heap_size_limit } = getHeapStatistics();
      return used_heap_size / heap_size_limit;
    },
  };
}

/** How long a caller waits for a connection of the pool at the moment. */
export function poolSignal(waitMs: () => number, fullMs: number): PressureSignal {
  return { name: 'pool', read: () => waitMs() / fullMs };
}
