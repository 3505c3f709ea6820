import { DomainError } from '#libs/errors';
import { sizeText } from '../uploads/size-text.js';

/** Also for an import that the reader may not see. */
export class ImportNotFound extends DomainError {
  readonly code = 'import-not-found';
  readonly kind = 'not-found' as const;
  constructor(importId: string) {
    super('There is no such import', { extra: { import_id: importId } });
  }
}

/** What was sent is neither a form nor JSON. */
export class ImportExpected extends DomainError {
  readonly code = 'import-expected';
  readonly kind = 'unsupported-type' as const;
  constructor() {
    super('An import is sent as multipart/form-data with its files, or as JSON with "urls"');
  }
}

/** What was cancelled does not go on. */
export class ImportCancelled extends DomainError {
  readonly code = 'import-cancelled';
  readonly kind = 'conflict' as const;
  constructor() {
    super('The import was cancelled');
  }
}

export class TooManyItems extends DomainError {
  readonly code = 'too-many-items';
  readonly kind = 'too-large' as const;
  constructor(limit: number) {
    super(`One import holds at most ${limit} files`, { extra: { limit } });
  }
}

export class ArchiveTooLarge extends DomainError {
  readonly code = 'archive-too-large';
  readonly kind = 'too-large' as const;
  constructor(limitBytes: number) {
    super(`The ZIP file is larger than ${sizeText(limitBytes)}`, { extra: { limit_bytes: limitBytes } });
  }
}

/** It is damaged, or no ZIP file at all. */
export class ArchiveUnreadable extends DomainError {
  readonly code = 'archive-unreadable';
  readonly kind = 'unprocessable' as const;
  constructor(options: { cause?: unknown } = {}) {
    super('The ZIP file is damaged and cannot be opened', options);
  }
}

/** It would unpack to far more than it is, or names files outside itself. */
export class ArchiveNotSafe extends DomainError {
  readonly code = 'archive-not-safe';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The ZIP file would unpack to too much, or holds names that lead out of it');
  }
}

export class ArchiveEmpty extends DomainError {
  readonly code = 'archive-empty';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The ZIP file holds no files');
  }
}

export class EntryProtected extends DomainError {
  readonly code = 'entry-protected';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The file is protected by a password in the ZIP file');
  }
}

/** Nobody is there, or it breaks off; after a few attempts that is final. */
export class UrlUnreachable extends DomainError {
  readonly code = 'url-unreachable';
  readonly kind = 'unavailable' as const;
  constructor(options: { cause?: unknown } = {}) {
    super('The address could not be reached, or did not send the file', options);
  }
}

/** Another worker has the item, or the import was cancelled: write nothing. */
export class ItemLost extends Error {
  override readonly name = 'ItemLost';
}
