import { DomainError } from '#libs/errors';

export class SecondFactorEnabled extends DomainError {
  readonly code = 'second-factor-enabled';
  readonly kind = 'conflict' as const;
  constructor() {
    super('Two-step login is turned on; turn it off first');
  }
}

export class SecondFactorNotBegun extends DomainError {
  readonly code = 'second-factor-not-begun';
  readonly kind = 'conflict' as const;
  constructor() {
    super('There is nothing to confirm; begin to turn on two-step login first');
  }
}

/** Whoever has his session could turn it off, without the password and a code that this takes. */
export class OwnSecondFactor extends DomainError {
  readonly code = 'own-second-factor';
  readonly kind = 'conflict' as const;
  constructor() {
    super('Turn off your own two-step login with your password and a code');
  }
}

export class SecondFactorOff extends DomainError {
  readonly code = 'second-factor-off';
  readonly kind = 'conflict' as const;
  constructor() {
    super('Two-step login is turned off');
  }
}

/** The password was right; a code is still to be shown. Not an answer, because nobody is logged in. */
export class SecondFactorRequired extends DomainError {
  readonly code = 'second-factor-required';
  readonly kind = 'unauthenticated' as const;
  constructor(challenge: string, expiresInSeconds: number) {
    super('A code is needed as well: send it with the challenge to /v1/auth/login/second-factor', {
      extra: { challenge, expires_in: expiresInSeconds },
    });
  }
}

export class SecondFactorInvalid extends DomainError {
  readonly code = 'second-factor-invalid';
  readonly kind = 'unauthenticated' as const;
  constructor() {
    super('The code is wrong, was used before or has run out');
  }
}

/** The first step was too long ago, or the password was changed since. */
export class ChallengeInvalid extends DomainError {
  readonly code = 'challenge-invalid';
  readonly kind = 'unauthenticated' as const;
  constructor() {
    super('Begin again with the e-mail address and the password');
  }
}
