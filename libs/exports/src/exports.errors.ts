import { DomainError, type DomainErrorOptions } from '#libs/errors';
import type { ExportState } from './export.js';

/** Also for one of another tenant, and for one of a kind that the caller may not see. */
export class ExportNotFound extends DomainError {
  readonly code = 'export-not-found';
  readonly kind = 'not-found' as const;
  constructor() {
    super('There is no such export');
  }
}

export class ExportNotReady extends DomainError {
  readonly code = 'export-not-ready';
  readonly kind = 'conflict' as const;
  constructor(state: ExportState) {
    const waits = state === 'queued' || state === 'running';
    super(`The export has no file: it is ${state}`, {
      extra: { state },
      retryAfterMs: waits ? 2_000 : undefined,
    });
  }
}

export class TooManyExports extends DomainError {
  readonly code = 'too-many-exports';
  readonly kind = 'rate-limited' as const;
  constructor(limit: number) {
    super(`The tenant has ${limit} exports; remove one or wait until one has ended`, { extra: { limit } });
  }
}

export class ExportTooLarge extends DomainError {
  readonly code = 'export-too-large';
  readonly kind = 'too-large' as const;
  constructor(limitBytes: number) {
    super(`The export has more than ${limitBytes} bytes`, { extra: { limit_bytes: limitBytes } });
  }
}

/** The export is ready and its file is not where this process looks. */
export class ExportFileMissing extends DomainError {
  readonly code = 'export-file-missing';
  readonly kind = 'unavailable' as const;
  constructor(options?: DomainErrorOptions) {
    super('The file of the export cannot be read', options);
  }
}

/** Another process has it, or it was cancelled: nothing of it may be written any more. */
export class ExportLost extends Error {
  constructor() {
    super('The export is no longer ours');
    this.name = 'ExportLost';
  }
}
