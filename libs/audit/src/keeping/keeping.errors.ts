import { DomainError } from '#libs/errors';

/** Somebody ordered that it be kept, so it is neither erased nor deleted. */
export class LegalHoldInForce extends DomainError {
  readonly code = 'legal-hold';
  readonly kind = 'conflict' as const;

  constructor(holdIds: readonly string[]) {
    super('A legal hold forbids this', { extra: { holds: holdIds } });
  }
}

/** There is none in force with this id; perhaps it was released. */
export class HoldNotFound extends DomainError {
  readonly code = 'legal-hold-not-found';
  readonly kind = 'not-found' as const;

  constructor() {
    super('There is no such legal hold in force');
  }
}

export class ReleaseNotAsked extends DomainError {
  readonly code = 'legal-hold-release-not-asked';
  readonly kind = 'conflict' as const;

  constructor() {
    super('Nobody has asked for the release of this hold yet');
  }
}

/** Two people release a hold: one asks, another confirms. */
export class ReleaseNeedsAnother extends DomainError {
  readonly code = 'legal-hold-needs-another';
  readonly kind = 'forbidden' as const;

  constructor() {
    super('Whoever asked for the release of a hold does not confirm it');
  }
}
