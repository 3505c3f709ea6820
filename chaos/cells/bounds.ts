import { expectThat, type Expectation } from '../cell.js';
import { answered, durations, percent, percentile } from '../evidence.js';
import { durationOf, type Level, type Operation } from '../load/history.js';

/** Bounds that many cells share. Each says what was measured. */

export function answeredAtLeast(
  share: number,
  operations: readonly Operation[],
  what = 'questions',
): Expectation {
  const seen = answered(operations);
  return expectThat(
    operations.length > 0 && seen >= share,
    `${percent(seen)} of ${operations.length} ${what} answered (bound ${percent(share)})`,
  );
}

export function percentileAtMost(
  share: number,
  ms: number,
  operations: readonly Operation[],
  what: string,
): Expectation {
  const value = percentile(durations(operations), share);
  const name = share === 0.5 ? 'p50' : `p${share * 100}`;
  return expectThat(
    operations.length > 0 && value <= ms,
    `${what}: ${name} ${value.toFixed(0)} ms over ${operations.length} (bound ${ms} ms)`,
  );
}

export function slowestAtMost(ms: number, operations: readonly Operation[], what: string): Expectation {
  const value = Math.max(0, ...durations(operations));
  return expectThat(value <= ms, `${what}: slowest ${value.toFixed(0)} ms (bound ${ms} ms)`);
}

/** Whoever was refused for want of a dependency was told when to come back. */
export function refusalsSayWhen(operations: readonly Operation[]): Expectation {
  const refused = operations.filter(({ status }) => status === 503);
  const silent = refused.filter(({ retryAfterMs }) => retryAfterMs === undefined).length;
  return expectThat(
    silent === 0,
    `${refused.length - silent} of ${refused.length} refusals (503) had Retry-After`,
  );
}

/** A share of the questions was given at this level. */
export function levelAtLeast(level: Level, share: number, questions: readonly Operation[]): Expectation {
  const fresh = questions.filter(({ servedBy }) => servedBy !== 'cache');
  const seen = fresh.filter((question) => question.level === level).length / (fresh.length || 1);
  return expectThat(
    seen >= share,
    `${percent(seen)} of ${fresh.length} uncached answers ${level} (bound ${percent(share)})`,
  );
}

export function only(codes: readonly string[], operations: readonly Operation[], what: string): Expectation {
  const others = operations.filter(({ outcome, code }) => outcome !== 'ok' && !codes.includes(code ?? ''));
  const names = [...new Set(others.map(({ status, code }) => `${status ?? 'no answer'} ${code}`))];
  return expectThat(
    others.length === 0,
    `${what} failed with ${codes.join(', ')} only${names.length > 0 ? `, but also ${names.join(', ')}` : ''}`,
  );
}

/** Those that were made in the second half of the fault, when the breaker has seen enough. */
export function lateOnes(operations: readonly Operation[]): Operation[] {
  const sorted = [...operations].sort((a, b) => a.startedAt - b.startedAt);
  return sorted.slice(Math.floor(sorted.length / 2));
}

export const slowest = (operations: readonly Operation[]): number =>
  Math.max(0, ...operations.map(durationOf));
