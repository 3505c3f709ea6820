import type { StandardSchemaV1 } from '@standard-schema/spec';
import { DomainError } from '#libs/errors';

export class ValidationFailed extends DomainError {
  readonly code = 'validation-failed';
  readonly kind = 'invalid' as const;

  /** Says where and what is wrong, and never repeats the value. */
  constructor(issues: readonly StandardSchemaV1.Issue[]) {
    super('The request does not have the expected form', {
      extra: {
        errors: issues.slice(0, 50).map((issue) => ({ path: pathOf(issue), message: issue.message })),
      },
    });
  }
}

export class InvalidCursor extends DomainError {
  readonly code = 'invalid-cursor';
  readonly kind = 'invalid' as const;
  constructor() {
    super('The cursor is not one that this list gave out');
  }
}

export class InvalidDeadline extends DomainError {
  readonly code = 'invalid-deadline';
  readonly kind = 'invalid' as const;
  constructor(maxMs: number) {
    super(`X-Deadline-Ms is a whole number of milliseconds from 1 to ${maxMs}`);
  }
}

export class InvalidServiceLevel extends DomainError {
  readonly code = 'invalid-service-level';
  readonly kind = 'invalid' as const;
  constructor() {
    super('X-Min-Service-Level is full, degraded or minimal');
  }
}

export class TooManyRequests extends DomainError {
  readonly code = 'too-many-requests';
  readonly kind = 'rate-limited' as const;
  constructor(rateClass: string, retryAfterMs: number) {
    super(`There were too many ${rateClass} requests`, {
      retryAfterMs,
      extra: { rate_class: rateClass },
    });
  }
}

/** The process has too much to do, and this request matters less than others or came later. */
export class ServerOverloaded extends DomainError {
  readonly code = 'overloaded';
  readonly kind = 'unavailable' as const;
  constructor(retryAfterMs: number) {
    super('There is too much to do at the moment', { retryAfterMs });
  }
}

export class TooManyStreams extends DomainError {
  readonly code = 'too-many-streams';
  readonly kind = 'rate-limited' as const;
  constructor() {
    super('Too many event streams are open', { retryAfterMs: 5_000 });
  }
}

export class InvalidIdempotencyKey extends DomainError {
  readonly code = 'invalid-idempotency-key';
  readonly kind = 'invalid' as const;
  constructor() {
    super('Idempotency-Key is 1 to 255 visible ASCII characters');
  }
}

export class IdempotencyKeyReused extends DomainError {
  readonly code = 'idempotency-key-reused';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('This Idempotency-Key was used for a different request');
  }
}

export class IdempotentRequestInProgress extends DomainError {
  readonly code = 'idempotent-request-in-progress';
  readonly kind = 'conflict' as const;
  constructor() {
    super('The first request with this Idempotency-Key is still under way', { retryAfterMs: 1_000 });
  }
}

export class IdempotentResponseNotKept extends DomainError {
  readonly code = 'idempotent-response-not-kept';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This request was done; its response held a secret that is shown once and was not kept');
  }
}

export class RangeNotSatisfiable extends DomainError {
  readonly code = 'range-not-satisfiable';
  readonly kind = 'range-not-satisfiable' as const;
  constructor(sizeBytes: number) {
    super('The file has no such part', { extra: { size_bytes: sizeBytes } });
  }
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
