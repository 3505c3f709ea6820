import { DomainError } from '#libs/errors';

export class FaultsDisabled extends DomainError {
  readonly code = 'faults-disabled';
  readonly kind = 'conflict' as const;
  constructor() {
    super('This process was started without FAULTS_ENABLED=true, so no fault can be injected');
  }
}

export class FaultNotFound extends DomainError {
  readonly code = 'fault-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no fault with this id in this process (any more)');
  }
}
