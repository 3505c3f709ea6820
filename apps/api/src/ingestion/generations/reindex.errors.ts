import { DomainError } from '#libs/errors';

export class ReindexNotFound extends DomainError {
  readonly code = 'reindex-not-found';
  readonly kind = 'not-found' as const;
  constructor(reindexId: string) {
    super('There is no such order', { extra: { reindex_id: reindexId } });
  }
}

/** Documents of it are still on their way. */
export class ReindexNotEnded extends DomainError {
  readonly code = 'reindex-not-ended';
  readonly kind = 'conflict' as const;
  constructor(state: string) {
    super('The order has not ended; cancel it first', { extra: { state } });
  }
}

export class ReindexEnded extends DomainError {
  readonly code = 'reindex-ended';
  readonly kind = 'conflict' as const;
  constructor(state: string) {
    super('The order has ended; it can be rolled back', { extra: { state } });
  }
}
