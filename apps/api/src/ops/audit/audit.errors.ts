import { DomainError } from '#libs/errors';

/** Also for an event of another tenant: whether it exists is not for the caller to know. */
export class AuditEventNotFound extends DomainError {
  readonly code = 'audit-event-not-found';
  readonly kind = 'not-found' as const;

  constructor() {
    super('There is no such event in the audit log');
  }
}

export class TreeStateNotFound extends DomainError {
  readonly code = 'audit-tree-state-not-found';
  readonly kind = 'not-found' as const;

  constructor() {
    super('No checkpoint tells of two such sizes of the tree, the smaller one first');
  }
}

export class CheckpointNotFound extends DomainError {
  readonly code = 'audit-checkpoint-not-found';
  readonly kind = 'not-found' as const;

  constructor() {
    super('The log has no two such checkpoints, the older one first');
  }
}
