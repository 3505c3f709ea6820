import {
  DependencyTimeout,
  DependencyUnavailable,
  DomainError,
  Overloaded,
  TransientFailure,
} from '#libs/errors';
import { AttemptTimeout, type Classify } from './outcome.js';

/**
 * What the caller of a policy gets to see of an error: its own errors, and those that say nothing about the dependency,
 * unchanged; everything else as one of the two errors of a dependency, with the error as its cause.
 *
 * @param openForMs how long the circuit lets nothing through from now on; 0 when it does
 */
export function failureOf(
  error: unknown,
  dependency: string,
  openForMs: number,
  classify?: Classify,
): unknown {
  if (error instanceof DomainError) return error;
  if (error instanceof AttemptTimeout) return new DependencyTimeout(dependency, { cause: error });
  const known = error instanceof TransientFailure ? 'failure' : classify?.(error);
  if (known === undefined || known === 'ignored') return error;
  const asked = error instanceof TransientFailure ? error.retryAfterMs : undefined;
  return new DependencyUnavailable(dependency, {
    reason: error instanceof Overloaded || known === 'overload' ? 'overloaded' : 'failed',
    retryAfterMs: asked ?? (openForMs || undefined),
    cause: error,
  });
}

/** In the metric of calls. @param error what the failure was made of */
export function countedAs(failure: unknown, error: unknown): string {
  if (failure instanceof DependencyTimeout) return 'timeout';
  if (!(failure instanceof DependencyUnavailable)) return 'error';
  return failure === error ? 'rejected' : 'failure';
}

/** Whether it was refused because there was too much to do, and not because the dependency is away. */
export function isShed(failure: unknown): failure is DependencyUnavailable {
  return failure instanceof DependencyUnavailable && SHED.has(failure.reason);
}

const SHED: ReadonlySet<string> = new Set(['queue-full', 'queue-timeout', 'throttled']);
