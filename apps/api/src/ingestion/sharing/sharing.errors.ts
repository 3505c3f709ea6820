import { DomainError } from '#libs/errors';
import type { Grantee } from '../../groups/index.js';

/** Of another tenant, gone, or never there: which of these is not said. */
export class GranteesNotFound extends DomainError {
  readonly code = 'grantees-not-found';
  readonly kind = 'unprocessable' as const;
  constructor(grantees: readonly Grantee[]) {
    super('There are no such users or groups in this tenant', {
      extra: { grantees: grantees.map(({ kind, id }) => ({ kind, id })) },
    });
  }
}

export class AttachmentNotSharedAlone extends DomainError {
  readonly code = 'attachment-not-shared-alone';
  readonly kind = 'conflict' as const;
  constructor(parentId: string) {
    super('What came inside another document is shared as that one is', { extra: { parent_id: parentId } });
  }
}

export class NoCollection extends DomainError {
  readonly code = 'no-collection';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The document is in no collection');
  }
}

export class TooManyCollections extends DomainError {
  readonly code = 'too-many-collections';
  readonly kind = 'conflict' as const;
  constructor(limit: number) {
    super(`At most ${limit} collections of a tenant can be shared`, { extra: { limit } });
  }
}
