import type { AuditActor } from '#libs/audit';
import { DomainError } from '#libs/errors';
import type { Permission } from './principal.js';

/** Who is asking is not known. Every subclass becomes a 401 with a `WWW-Authenticate` challenge. */
export abstract class AuthenticationFailed extends DomainError {
  readonly kind = 'unauthenticated' as const;
  /** Whether a credential was presented and refused, which is worth a record; an expired one is everyday life. */
  readonly suspicious: boolean = true;
  /** Whose credential it is, where that is known, so that the record stands in the right log. */
  readonly owner?: AuditActor;
}

export class Unauthenticated extends AuthenticationFailed {
  readonly code = 'unauthenticated';
  override readonly suspicious = false;
  constructor() {
    super('This needs an access token or an API key in the Authorization header');
  }
}

/** Something was presented that is neither an access token nor an API key behind `Bearer`. */
export class CredentialMalformed extends AuthenticationFailed {
  readonly code = 'credential-malformed';
  constructor() {
    super('The Authorization header must be Bearer, a space and an access token or an API key');
  }
}

/** Says no more than that: why a token was refused helps only those who forge them. */
export class TokenInvalid extends AuthenticationFailed {
  readonly code = 'token-invalid';
  constructor(options?: { cause?: unknown }) {
    super('The access token is not valid', options);
  }
}

export class TokenExpired extends AuthenticationFailed {
  readonly code = 'token-expired';
  override readonly suspicious: boolean;
  constructor({ suspicious = false } = {}) {
    super('The access token has expired; refresh it');
    this.suspicious = suspicious;
  }
}

export class SessionEnded extends AuthenticationFailed {
  readonly code = 'session-ended';
  override readonly suspicious = false;
  constructor() {
    super('The session has ended; log in again');
  }
}

export class ApiKeyInvalid extends AuthenticationFailed {
  readonly code = 'api-key-invalid';
  constructor(override readonly owner?: AuditActor) {
    super('The API key is not valid');
  }
}

/** Whoever has a key may know where it is good; it tells nothing to those who have none. */
export class ApiKeyNotFromHere extends AuthenticationFailed {
  readonly code = 'api-key-not-from-here';
  constructor(override readonly owner?: AuditActor) {
    super('The API key is not good from this network');
  }
}

export class Forbidden extends DomainError {
  readonly code = 'forbidden';
  readonly kind = 'forbidden' as const;
  /** @param isScope the role would allow it, and the API key does not */
  constructor(permission: Permission, { isScope = false } = {}) {
    super(isScope ? 'The scopes of this API key do not allow this' : 'Your role does not allow this', {
      extra: { required_permission: permission },
    });
  }
}

/** Not a 401: the session is good, for enrolling a second factor. */
export class SecondFactorEnrolmentRequired extends DomainError {
  readonly code = 'second-factor-enrolment-required';
  readonly kind = 'forbidden' as const;
  constructor(enrolAt: string) {
    super('Your organisation requires a second factor: turn it on first, or log in again with it', {
      extra: { enrol_at: enrolAt },
    });
  }
}

export class SessionRequired extends DomainError {
  readonly code = 'session-required';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('This needs the access token of a login; an API key is not enough');
  }
}
