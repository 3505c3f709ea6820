import { DomainError, type DomainErrorOptions } from './domain-error.js';

/**
 * Thrown by an adapter for a failure that may pass by itself: a 5xx, a reset connection, silence. It is counted by the
 * circuit breaker and may be retried; anything that is none of these three classes is a bug or the caller's mistake.
 */
export class TransientFailure extends Error {
  /** What the dependency itself asked for, in milliseconds. */
  readonly retryAfterMs?: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The dependency works and has too much to do: a 429, no connection left. It lowers limits and opens no circuit. */
export class Overloaded extends TransientFailure {}

/** Nobody is there, or we are not let in: a refused connection, a revoked key. The circuit opens at once; no retry. */
export class FatalFailure extends TransientFailure {}

/** Why a policy gave up. All but the last two without calling the dependency. */
export type UnavailableReason =
  'circuit-open' | 'isolated' | 'queue-full' | 'queue-timeout' | 'throttled' | 'overloaded' | 'failed';

export interface UnavailableOptions extends DomainErrorOptions {
  reason?: UnavailableReason;
  retryAfterMs?: number;
}

const RETRY_AFTER_MS = 5_000;

/** Raised by a policy when a dependency failed for good, or when it does not even ask it. */
export class DependencyUnavailable extends DomainError {
  readonly code: string = 'dependency-unavailable';
  readonly kind = 'unavailable' as const;
  readonly reason: UnavailableReason;

  constructor(
    readonly dependency: string,
    { reason = 'failed', retryAfterMs = RETRY_AFTER_MS, ...options }: UnavailableOptions = {},
  ) {
    super(`${dependency} is unavailable`, { retryAfterMs, ...options });
    this.reason = reason;
  }
}

/** Raised by a policy when a dependency did not answer in the time it was given. */
export class DependencyTimeout extends DomainError {
  readonly code = 'dependency-timeout';
  readonly kind = 'unavailable' as const;

  constructor(
    readonly dependency: string,
    options: DomainErrorOptions = {},
  ) {
    super(`${dependency} did not answer in time`, { retryAfterMs: RETRY_AFTER_MS, ...options });
  }
}

/** The time that the client gave, or that a request may take at all, is up. */
export class DeadlineExceeded extends DomainError {
  readonly code = 'deadline-exceeded';
  readonly kind = 'timeout' as const;
  constructor() {
    super('The time for this request is up');
  }
}
