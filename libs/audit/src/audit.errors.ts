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
