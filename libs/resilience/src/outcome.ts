import { handleType, type Policy as Filter } from 'cockatiel';
import {
  DeadlineExceeded,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
  TransientFailure,
} from '#libs/errors';
import type { Outcome } from './policy-types.js';

/** The attempt had not come to an end when its time was up. */
export class AttemptTimeout extends TransientFailure {
  constructor(readonly timeoutMs: number) {
    super(`no answer in ${timeoutMs} ms`);
  }
}

/** In order; what none of them handles says nothing about the dependency: a bug, a mistake of the caller. */
const TABLE: [filter: Filter, outcome: Outcome][] = [
  [handleType(FatalFailure), 'fatal'],
  [handleType(Overloaded), 'overload'],
  [handleType(TransientFailure), 'failure'],
];

/** Knows an adapter's own errors; undefined for what the table shall decide. */
export type Classify = (error: unknown) => Outcome | undefined;

export interface EndedCall {
  /** The caller's. */
  signal?: AbortSignal;
  elapsedMs: number;
}

/**
 * What an error means for the dependency.
 *
 * @param slowCallMs a deadline that passes after so long says that the dependency is slow; a caller who just leaves says
 * nothing, however long he waited
 */
export function outcomeOf(
  error: unknown,
  { signal, elapsedMs }: EndedCall,
  classify?: Classify,
  slowCallMs = Infinity,
): Outcome {
  if (signal?.aborted) {
    const outOfTime = signal.reason instanceof DeadlineExceeded;
    return outOfTime && elapsedMs >= slowCallMs ? 'slow' : 'ignored';
  }
  // Of another policy, inside of the call, or a refusal of our own: nobody asked the dependency.
  if (error instanceof DependencyUnavailable) return 'ignored';
  const known = classify?.(error);
  if (known !== undefined) return known;
  for (const [filter, outcome] of TABLE) if (filter.options.errorFilter(error)) return outcome;
  return 'ignored';
}

const retryable = handleType(TransientFailure, (error) => !(error instanceof FatalFailure));

/** Whether the same call may succeed if it is made again. */
export const isRetryable = (error: unknown): boolean => retryable.options.errorFilter(error);
