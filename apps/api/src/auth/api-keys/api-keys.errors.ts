import type { Permission } from '#libs/auth';
import { DomainError } from '#libs/errors';

export class ApiKeyNotFound extends DomainError {
  readonly code = 'api-key-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no valid API key of that id');
  }
}

export class ApiKeyReplaced extends DomainError {
  readonly code = 'api-key-replaced';
  readonly kind = 'conflict' as const;
  constructor() {
    super('Another key has taken the place of this one already');
  }
}

export class ScopesNotHeld extends DomainError {
  readonly code = 'scopes-not-held';
  readonly kind = 'unprocessable' as const;
  constructor(scopes: readonly Permission[]) {
    super('A key may not do what its user may not', { extra: { scopes } });
  }
}
