import { DomainError, type DomainErrorOptions } from './domain-error.js';

/**
 * Thrown by an adapter for a failure that may pass by itself: a 429, a 5xx, a reset connection. Only this is
 * retried and only this is counted by a circuit breaker; anything else is a bug or the caller's mistake.
 */
export class TransientFailure extends Error {
  /** What the dependency itself asked for, in milliseconds. */
  readonly retryAfterMs?: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'TransientFailure';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Raised by a policy when a dependency failed for good, or its circuit is open or its queue full. */
export class DependencyUnavailable extends DomainError {
  readonly code = 'dependency-unavailable';
  readonly kind = 'unavailable' as const;

  constructor(
    readonly dependency: string,
    options: DomainErrorOptions = {},
  ) {
    super(`${dependency} is unavailable`, { retryAfterSeconds: 5, ...options });
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
    super(`${dependency} did not answer in time`, { retryAfterSeconds: 5, ...options });
  }
}
