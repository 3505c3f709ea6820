import { DomainError } from '#libs/errors';

export class ServiceAccountNotFound extends DomainError {
  readonly code = 'service-account-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such service account');
  }
}

export class ServiceAccountNameTaken extends DomainError {
  readonly code = 'service-account-name-taken';
  readonly kind = 'conflict' as const;
  constructor() {
    super('A service account of this name exists already');
  }
}

export class RoleAboveOwn extends DomainError {
  readonly code = 'role-above-own';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('Nobody makes or administers an account that may do more than himself');
  }
}
