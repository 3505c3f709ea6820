import { DomainError } from '#libs/errors';

export class AccountNotFound extends DomainError {
  readonly code = 'account-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('This account does not exist any more');
  }
}
