/** What kind of "no" an error is. Only this library knows which HTTP status a kind becomes. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'not-acceptable'
  | 'conflict'
  | 'precondition-failed'
  | 'too-large'
  | 'unsupported-type'
  | 'range-not-satisfiable'
  | 'unprocessable'
  | 'rate-limited'
  | 'timeout'
  | 'unavailable';

export interface DomainErrorOptions {
  cause?: unknown;
  /** Further members of the problem document: numbers and ids, never text of a document. snake_case. */
  extra?: Record<string, unknown>;
  /** When it makes sense to try again; becomes `Retry-After` (whole seconds) and the member `retry_after_ms`. */
  retryAfterMs?: number;
}

/**
 * An expected failure. Subclasses stand beside the domain that throws them and name themselves by a stable
 * `code`, which clients switch on; the message is for people and may change.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  abstract readonly kind: ErrorKind;
  readonly extra: Record<string, unknown>;
  readonly retryAfterMs?: number;

  constructor(message: string, { cause, extra = {}, retryAfterMs }: DomainErrorOptions = {}) {
    super(message, { cause });
    this.name = new.target.name;
    this.extra = extra;
    this.retryAfterMs = retryAfterMs;
  }
}
