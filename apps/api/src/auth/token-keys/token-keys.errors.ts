import { DomainError } from '#libs/errors';

export class TokenKeyNotFound extends DomainError {
  readonly code = 'token-key-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no key of that name in force');
  }
}

export class TokenKeyPending extends DomainError {
  readonly code = 'token-key-pending';
  readonly kind = 'conflict' as const;
  constructor() {
    super('A new key is published already; it signs soon');
  }
}
