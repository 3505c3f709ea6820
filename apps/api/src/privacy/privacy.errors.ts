import { DomainError } from '#libs/errors';

/** A copy of somebody else's data is asked for by who may not. */
export class NotYourData extends DomainError {
  readonly code = 'not-your-data';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('You may ask for a copy of your own data only');
  }
}

export class ErasureNotFound extends DomainError {
  readonly code = 'erasure-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such erasure');
  }
}

/** It has begun, is done or was cancelled. */
export class ErasureNotWaiting extends DomainError {
  readonly code = 'erasure-not-waiting';
  readonly kind = 'conflict' as const;
  constructor(state: string) {
    super(`Only an erasure that waits can be cancelled; this one is ${state}`, { extra: { state } });
  }
}

/** What is the tenant's must go to somebody who stays and can run it. */
export class HeirUnsuitable extends DomainError {
  readonly code = 'heir-unsuitable';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('Whoever takes over must be another administrator of the tenant who is not suspended');
  }
}

/** The name that was typed as a confirmation is not that of the tenant. */
export class TenantNameMismatch extends DomainError {
  readonly code = 'tenant-name-mismatch';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('Type the name of the tenant to confirm that it is to be deleted');
  }
}

export class DeletionNotFound extends DomainError {
  readonly code = 'tenant-deletion-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('This tenant is not being deleted');
  }
}

export class DeletionUnderWay extends DomainError {
  readonly code = 'tenant-deletion-under-way';
  readonly kind = 'conflict' as const;
  constructor(state: string) {
    super(`The deletion of this tenant is ${state}`, { extra: { state } });
  }
}

export class NobodyNamed extends DomainError {
  readonly code = 'nobody-named';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('Say of whom the copy is to be: `user_id`');
  }
}
