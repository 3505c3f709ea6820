import { DomainError } from '#libs/errors';

export class PolicyNotFound extends DomainError {
  readonly code = 'policy-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no policy of this name; GET /v1/admin/resilience lists them all');
  }
}

export class OrderOutdated extends DomainError {
  readonly code = 'order-outdated';
  readonly kind = 'precondition-failed' as const;
  constructor(version: number) {
    super('Somebody gave this policy another order in the meantime', { extra: { version } });
  }
}

export class InvalidVersion extends DomainError {
  readonly code = 'invalid-version';
  readonly kind = 'invalid' as const;
  constructor() {
    super('If-Match is the ETag of the policy');
  }
}

/** The fleet cannot be reached; this process can be given orders all the same. */
export class FleetUnreachable extends DomainError {
  readonly code = 'fleet-unreachable';
  readonly kind = 'unavailable' as const;
  constructor(cause: DomainError) {
    super(
      'The database is away, so an order would neither reach the other processes nor survive a restart. ' +
        'With "scope": "replica" it holds for this process alone',
      { cause, retryAfterMs: cause.retryAfterMs },
    );
  }
}
