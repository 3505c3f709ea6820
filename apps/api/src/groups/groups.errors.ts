import { DomainError } from '#libs/errors';

/** Also for a group that this person is not told of. */
export class GroupNotFound extends DomainError {
  readonly code = 'group-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such group in this tenant');
  }
}

export class GroupNameTaken extends DomainError {
  readonly code = 'group-name-taken';
  readonly kind = 'conflict' as const;
  constructor() {
    super('There is a group of this name');
  }
}

export class TooManyGroups extends DomainError {
  readonly code = 'too-many-groups';
  readonly kind = 'conflict' as const;
  constructor(limit: number) {
    super(`A tenant has at most ${limit} groups`, { extra: { limit } });
  }
}

/** Neither a user nor a program of this tenant, or one that has left. */
export class MemberNotFound extends DomainError {
  readonly code = 'user-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such user in this tenant');
  }
}
