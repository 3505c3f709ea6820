import { DomainError } from '#libs/errors';

/** The settings name no provider. */
export class SsoNotConfigured extends DomainError {
  readonly code = 'sso-not-configured';
  readonly kind = 'not-found' as const;
  constructor() {
    super('This installation has no single sign-on');
  }
}

/** The browser has not begun this login, or too long ago, or it was answered before. */
export class SsoStateInvalid extends DomainError {
  readonly code = 'sso-state-invalid';
  readonly kind = 'unauthenticated' as const;
  constructor(options?: { cause?: unknown }) {
    super('This login was not begun in this browser, or too long ago; begin again', options);
  }
}

/** The provider said no, or what it says cannot be believed. Which it was stands in the audit log. */
export class SsoRefused extends DomainError {
  readonly code = 'sso-refused';
  readonly kind = 'unauthenticated' as const;
  constructor(cause: unknown) {
    super('The identity provider did not confirm this login', { cause });
  }
}

/** Somebody proved who he is and has no account here, or not for this way in. */
export class SsoAccountUnknown extends DomainError {
  readonly code = 'sso-account-unknown';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('There is no account for this identity; ask an administrator of yours');
  }
}
