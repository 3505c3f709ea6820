import { DomainError } from '#libs/errors';

/** Not an address of the web, or one with a name and password in it. */
export class UrlNotAllowed extends DomainError {
  readonly code = 'url-not-allowed';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('Only addresses that begin with http:// or https://, without a user name, can be fetched');
  }
}

/** It leads into a private network or to the machine itself. Where exactly is not told. */
export class AddressNotAllowed extends DomainError {
  readonly code = 'address-not-allowed';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The address is not a public one, so nothing is fetched from there');
  }
}

/** The operator has named hosts, and it is none of them. */
export class HostNotAllowed extends DomainError {
  readonly code = 'host-not-allowed';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('This installation exchanges nothing with that host; its operator names those that are allowed');
  }
}

export class TooManyRedirects extends DomainError {
  readonly code = 'too-many-redirects';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The address leads on to others too often');
  }
}

/** The other side answered, and said no. */
export class UrlRefused extends DomainError {
  readonly code = 'url-refused';
  readonly kind = 'unprocessable' as const;
  constructor(status: number) {
    super(`The other server answered with the status ${status} instead of a file`, { extra: { status } });
  }
}

export class UrlTooLarge extends DomainError {
  readonly code = 'url-too-large';
  readonly kind = 'too-large' as const;
  constructor(limitBytes: number) {
    super(`What is at the address is larger than ${limitBytes} bytes`, {
      extra: { limit_bytes: limitBytes },
    });
  }
}
