import { DomainError } from '#libs/errors';

/** Unknown, used, revoked, expired: the answer does not tell which. */
export class OneTimeTokenInvalid extends DomainError {
  readonly code = 'one-time-token-invalid';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The token is not valid any more; ask for another one');
  }
}

export class SignUpOff extends DomainError {
  readonly code = 'sign-up-off';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('This installation is joined by invitation only');
  }
}

export class InvitationNotFound extends DomainError {
  readonly code = 'invitation-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such invitation');
  }
}

export class InvitationPending extends DomainError {
  readonly code = 'invitation-pending';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This address is invited already; send that invitation again instead');
  }
}

export class InvitationClosed extends DomainError {
  readonly code = 'invitation-closed';
  readonly kind = 'conflict' as const;
  constructor() {
    super('The invitation was accepted or revoked');
  }
}

export class TooManyInvitations extends DomainError {
  readonly code = 'too-many-invitations';
  readonly kind = 'conflict' as const;
  constructor(limit: number) {
    super(`A tenant may have ${limit} open invitations; revoke one first`, { extra: { limit } });
  }
}

/** A session alone is not enough for this. Not a 401: the session is good, and a client must not refresh it for this. */
export class ReauthenticationFailed extends DomainError {
  readonly code = 'reauthentication-failed';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('The current password or the code is wrong');
  }
}

/** Neither the password nor a login that is not long ago. */
export class ReauthenticationRequired extends DomainError {
  readonly code = 'reauthentication-required';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('Give your password, or log in again first');
  }
}
