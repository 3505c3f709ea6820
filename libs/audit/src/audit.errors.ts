import { DomainError } from '#libs/errors';

/** What happened cannot be recorded, so it does not happen. */
export class AuditUnavailable extends DomainError {
  readonly code = 'audit-unavailable';
  readonly kind = 'unavailable' as const;

  constructor(cause: unknown) {
    super('The audit log cannot be written at the moment, so nothing was changed', {
      cause,
      retryAfterMs: 5_000,
    });
  }
}

/** It has no proof yet: a checkpoint is signed every ten seconds. */
export class EventNotSealed extends DomainError {
  readonly code = 'audit-event-not-sealed';
  readonly kind = 'conflict' as const;

  constructor() {
    super('No signed checkpoint tells of this event yet', { retryAfterMs: 10_000 });
  }
}
