import { DeadlineExceeded } from '#libs/errors';
import { type Clock, systemClock } from './clock.js';

/** When a signal will be aborted at the latest, on `Clock.now()`'s scale. */
const deadlines = new WeakMap<AbortSignal, number>();

/** Longer timers overflow and would fire at once; a month is no deadline. */
const MAX_TIMER_MS = 2_147_483_647;

export interface ChildSignal {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Leaves the parent, so that nothing of this child is kept by it. The signal stays usable. */
  clear(): void;
}

/**
 * A signal that is aborted when its parent is and can be aborted by itself. It has the parent's deadline. Cheaper than
 * `AbortSignal.any`, and does not stay with a parent that lives long once it was cleared.
 */
export function childSignal(parent?: AbortSignal): ChildSignal {
  const controller = new AbortController();
  const abort = (reason: unknown) => controller.abort(reason);
  if (parent?.aborted) abort(parent.reason);
  if (!parent || parent.aborted) return { signal: controller.signal, abort, clear: () => undefined };
  const follow = () => abort(parent.reason);
  parent.addEventListener('abort', follow, { once: true });
  keepDeadline(controller.signal, deadlines.get(parent));
  return { signal: controller.signal, abort, clear: () => parent.removeEventListener('abort', follow) };
}

/**
 * A signal that is aborted with `DeadlineExceeded` after `ms`, or when `parent` is. Its deadline is the earlier of the
 * two. Made once for a request and handed down; `clear` when the request is over.
 */
export function deadlineSignal(
  ms: number,
  { parent, clock = systemClock }: { parent?: AbortSignal; clock?: Clock } = {},
): { signal: AbortSignal; clear(): void } {
  const child = childSignal(parent);
  const at = clock.now() + ms;
  const earlier = deadlineOf(child.signal) ?? Infinity;
  if (at >= earlier || ms === Infinity) return child;

  keepDeadline(child.signal, at);
  if (ms <= 0) {
    child.abort(new DeadlineExceeded());
    return child;
  }
  const clearTimer = clock.after(Math.min(ms, MAX_TIMER_MS), () => child.abort(new DeadlineExceeded()));
  return {
    signal: child.signal,
    clear() {
      clearTimer();
      child.clear();
    },
  };
}

/** On `Clock.now()`'s scale; undefined for a signal without one. */
export function deadlineOf(signal?: AbortSignal): number | undefined {
  return signal && deadlines.get(signal);
}

/** Milliseconds until the signal's deadline: Infinity without one, 0 or less when it is over. */
export function remainingMs(signal?: AbortSignal, clock: Clock = systemClock): number {
  const at = deadlineOf(signal);
  return at === undefined ? Infinity : at - clock.now();
}

/** A signal that is aborted with the first of these; its deadline is their earliest. */
export function joinSignals(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const distinct = [...new Set(signals)].filter((signal) => signal !== undefined);
  if (distinct.length === 1) return distinct[0]!;
  const joined = AbortSignal.any(distinct);
  for (const signal of distinct) keepDeadline(joined, deadlines.get(signal));
  return joined;
}

function keepDeadline(signal: AbortSignal, at: number | undefined): void {
  if (at !== undefined && at < (deadlines.get(signal) ?? Infinity)) deadlines.set(signal, at);
}
