import { DomainError } from '#libs/errors';

/** Unknown e-mail address, wrong password, disabled account: the answer does not tell which. */
export class InvalidCredentials extends DomainError {
  readonly code = 'invalid-credentials';
  readonly kind = 'unauthenticated' as const;
  constructor() {
    super('The e-mail address or the password is wrong');
  }
}

export class TooManyLogins extends DomainError {
  readonly code = 'too-many-logins';
  readonly kind = 'rate-limited' as const;
  constructor(retryAfterSeconds: number) {
    super('There were too many failed logins; wait a moment', {
      retryAfterMs: retryAfterSeconds * 1_000,
    });
  }
}

/** Hashing is kept to a few at once, or a flood of logins would take all processors and memory. */
export class LoginBusy extends DomainError {
  readonly code = 'login-busy';
  readonly kind = 'unavailable' as const;
  constructor(cause: unknown) {
    super('Too many people are logging in at this moment', { cause, retryAfterMs: 2_000 });
  }
}

export class PasswordRefused extends DomainError {
  readonly code = 'password-refused';
  readonly kind = 'unprocessable' as const;
}

export class RefreshTokenInvalid extends DomainError {
  readonly code = 'refresh-token-invalid';
  readonly kind = 'unauthenticated' as const;
  constructor() {
    super('The refresh token is not valid; log in again');
  }
}

/** Somebody else has the token, or had it: the session is ended for both. */
export class RefreshTokenReused extends DomainError {
  readonly code = 'refresh-token-reused';
  readonly kind = 'unauthenticated' as const;
  constructor() {
    super('The refresh token was used before, so the session was ended; log in again');
  }
}

export class TooManyApiKeys extends DomainError {
  readonly code = 'too-many-api-keys';
  readonly kind = 'conflict' as const;
  constructor(limit: number) {
    super(`One account may have ${limit} API keys; revoke one first`, { extra: { limit } });
  }
}
