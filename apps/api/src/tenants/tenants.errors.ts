import { DomainError } from '#libs/errors';

export class AccountNotFound extends DomainError {
  readonly code = 'account-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('This account does not exist any more');
  }
}

export class UserNotFound extends DomainError {
  readonly code = 'user-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such user in this tenant');
  }
}

export class TenantNotFound extends DomainError {
  readonly code = 'tenant-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such tenant');
  }
}

export class TenantExists extends DomainError {
  readonly code = 'tenant-exists';
  readonly kind = 'conflict' as const;
  constructor() {
    super('There is a tenant of this name');
  }
}

/** A mail address belongs to one account of the whole installation. Told only to who has shown that it is his. */
export class AddressTaken extends DomainError {
  readonly code = 'address-taken';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This e-mail address has an account already');
  }
}

/** Nobody could run the tenant any more. */
export class LastAdministrator extends DomainError {
  readonly code = 'last-administrator';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This is the last administrator of the tenant; make somebody else one first');
  }
}

/** Whoever wants to change him cancels the erasure first. */
export class UserBeingErased extends DomainError {
  readonly code = 'user-being-erased';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This user is being erased');
  }
}

/** Only who may do as much himself gives a role, or takes one away. */
export class RoleOutOfReach extends DomainError {
  readonly code = 'role-out-of-reach';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('This role is above your own');
  }
}

/** Its deletion is cancelled first. */
export class TenantBeingDeleted extends DomainError {
  readonly code = 'tenant-being-deleted';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This tenant is being deleted');
  }
}

/** The operator's own tenant: he would suspend himself. */
export class OwnTenant extends DomainError {
  readonly code = 'own-tenant';
  readonly kind = 'conflict' as const;
  constructor(what: 'suspend' | 'delete' = 'suspend') {
    super(`You cannot ${what} the tenant that you belong to`);
  }
}
