import type { MetricsPage } from './harness/metrics-page.js';
import { durationOf, type Level, LEVELS, type Operation } from './load/history.js';
import { QUESTIONS, READS, WRITES } from './load/operations.js';

export interface Recovery {
  /** From the end of the fault to the first of three full answers in a row; undefined when there was none. */
  requestsMs?: number;
  /** To the moment from which the program itself reported all capabilities as full. */
  reportedMs?: number;
  /** What was below full the longest. */
  lastReason?: string;
}

/** One replica at one moment. */
export interface Snapshot {
  replica: string;
  pid: number;
  openFiles: number;
  memoryBytes: number;
  metrics?: MetricsPage;
}

/** What was seen of one cell. */
export class Evidence {
  recovery: Recovery = {};
  /** Before the first call. */
  start: Snapshot[] = [];
  /** Under load, just before the fault. */
  before: Snapshot[] = [];
  after: Snapshot[] = [];
  /** By the clock that alerts and the models have: before and after the fault was begun, and when it was over. */
  faultDate = new Date(0);
  brokenDate = new Date(0);
  healedDate = new Date(0);
  /** Calls that came to the first model from the fault on. */
  upstreamCalls = 0;
  /** Of these, while the fault lasted. */
  duringCalls = 0;

  constructor(private readonly operations: readonly Operation[]) {}

  get all(): readonly Operation[] {
    return this.operations;
  }

  /** Of the calls that were made while the fault lasted. */
  during(kinds?: ReadonlySet<string> | string): Operation[] {
    return this.operations.filter(
      ({ phase, kind }) =>
        phase === 'fault' &&
        (kinds === undefined || (typeof kinds === 'string' ? kind === kinds : kinds.has(kind))),
    );
  }

  steady(kind: string): Operation[] {
    return this.operations.filter((operation) => operation.phase === 'steady' && operation.kind === kind);
  }

  get questions(): Operation[] {
    return this.during(QUESTIONS);
  }
  get reads(): Operation[] {
    return this.during(READS);
  }
  get writes(): Operation[] {
    return this.during(WRITES);
  }

  /** Levels of questions during the fault, the best first; a refusal for want of a dependency is `unavailable`. */
  get levelsSeen(): Level[] {
    const seen = new Set(this.questions.map(levelOf));
    return LEVELS.filter((level) => seen.has(level));
  }

  /** Error codes during the fault with how often each came. */
  get codes(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { outcome, status, code } of this.during()) {
      if (outcome === 'ok') continue;
      const name = status === undefined || status === 200 ? String(code) : `${status} ${code}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** How much a counter of all replicas grew; undefined when one of them was started again meanwhile. */
  growth(metric: string, labels: Record<string, string> = {}): number | undefined {
    let growth = 0;
    for (const after of this.after) {
      const before = this.start.find(({ replica }) => replica === after.replica);
      if (!before?.metrics || !after.metrics || before.pid !== after.pid) return undefined;
      growth += after.metrics.sum(metric, labels) - before.metrics.sum(metric, labels);
    }
    return growth;
  }
}

export function levelOf({ outcome, level, status }: Operation): Level {
  if (outcome === 'ok') return level ?? 'full';
  return level ?? (status === undefined || status >= 500 ? 'unavailable' : 'full');
}

/** The share of answers that are not the server's failure; what the client gave up or was refused for good reason counts as answered. */
export function answered(operations: readonly Operation[]): number {
  if (operations.length === 0) return 1;
  return operations.filter(({ outcome }) => outcome === 'ok').length / operations.length;
}

/** 0 when there was none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export const durations = (operations: readonly Operation[]): number[] => operations.map(durationOf);

export const percent = (share: number): string =>
  `${(100 * share).toFixed(share > 0.99 && share < 1 ? 2 : 1)} %`;
