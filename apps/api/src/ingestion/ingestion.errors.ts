import { DomainError } from '#libs/errors';
import { READABLE_TYPES } from './parsing/media-types.js';
import { sizeText } from './uploads/size-text.js';

/** Also for a document that the reader may not see: whether it exists is not his to know. */
export class DocumentNotFound extends DomainError {
  readonly code = 'document-not-found';
  readonly kind = 'not-found' as const;
  constructor(documentId: string) {
    super('There is no such document', { extra: { document_id: documentId } });
  }
}

export class PassageNotFound extends DomainError {
  readonly code = 'passage-not-found';
  readonly kind = 'not-found' as const;
  constructor(passageId: string) {
    super('The document has no such passage', { extra: { passage_id: passageId } });
  }
}

export class DocumentTooLarge extends DomainError {
  readonly code = 'document-too-large';
  readonly kind = 'too-large' as const;
  constructor(limitBytes: number) {
    super(`The document is larger than ${sizeText(limitBytes)}`, { extra: { limit_bytes: limitBytes } });
  }
}

export class UnsupportedDocumentType extends DomainError {
  readonly code = 'unsupported-document-type';
  readonly kind = 'unsupported-type' as const;
  constructor() {
    super(
      `Files of this type cannot be read. These can: ${READABLE_TYPES}. A ZIP file is brought in as an import`,
    );
  }
}

/** Mostly an error page that was saved instead of the document. */
export class MistypedDocument extends DomainError {
  readonly code = 'mistyped-document';
  readonly kind = 'unsupported-type' as const;
  constructor() {
    super('The file is not what its name says; please check that it is the right one');
  }
}

export class EmptyDocument extends DomainError {
  readonly code = 'empty-document';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The file is empty');
  }
}

/** What is wanted of a protected document begins with reading its file, and its password is not kept. */
export class PasswordNeeded extends DomainError {
  readonly code = 'password-needed';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The file is protected by a password, which is not kept; please give it again');
  }
}

/** The form of an upload is not as it should be. `field` is the name of the part at fault. */
export class InvalidUpload extends DomainError {
  readonly code = 'invalid-upload';
  readonly kind = 'invalid' as const;
  constructor(field: string, message: string) {
    super(message, { extra: { field } });
  }
}

export class MultipartExpected extends DomainError {
  readonly code = 'multipart-expected';
  readonly kind = 'unsupported-type' as const;
  constructor() {
    super('An upload is sent as multipart/form-data, with the file in the field "file"');
  }
}

/** The client left, the connection broke, or what arrived is not the form that it says it is. */
export class UploadInterrupted extends DomainError {
  readonly code = 'upload-interrupted';
  readonly kind = 'invalid' as const;
  constructor(options: { cause?: unknown } = {}) {
    super('The upload was cut off, or is not well-formed multipart data', options);
  }
}

export class SharingNotAllowed extends DomainError {
  readonly code = 'sharing-not-allowed';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('Making a document visible to the whole tenant needs the permission document.share');
  }
}

export class NotYourDocument extends DomainError {
  readonly code = 'not-your-document';
  readonly kind = 'forbidden' as const;
  constructor() {
    super('A shared document is changed by its owner or by a manager');
  }
}

/** What is ready, or waits for a review, is done again only from a stage that is named. */
export class DocumentNotFailed extends DomainError {
  readonly code = 'document-not-failed';
  readonly kind = 'conflict' as const;
  constructor(status: string) {
    super('Only a document whose processing failed or was cancelled goes on; name a stage to do it again', {
      extra: { document_status: status },
    });
  }
}

export class DocumentBusy extends DomainError {
  readonly code = 'document-busy';
  readonly kind = 'conflict' as const;
  constructor(status: string) {
    super('The document is being processed; cancel that first', { extra: { document_status: status } });
  }
}

/** It was never made anew, or what it was before is not kept any more. */
export class NothingToRollBackTo extends DomainError {
  readonly code = 'nothing-to-roll-back-to';
  readonly kind = 'conflict' as const;
  constructor() {
    super('Nothing is kept of what the document was before');
  }
}

export class DocumentNotInReview extends DomainError {
  readonly code = 'document-not-in-review';
  readonly kind = 'conflict' as const;
  constructor(status: string) {
    super('The document does not wait for a review', { extra: { document_status: status } });
  }
}

export class DocumentNotOpen extends DomainError {
  readonly code = 'document-not-open';
  readonly kind = 'conflict' as const;
  constructor(status: string) {
    super('The processing of the document has ended', { extra: { document_status: status } });
  }
}

export class TenantNotFound extends DomainError {
  readonly code = 'tenant-not-found';
  readonly kind = 'not-found' as const;
  constructor(tenantId: string) {
    super('There is no such tenant', { extra: { tenant_id: tenantId } });
  }
}

export class WebhookNotFound extends DomainError {
  readonly code = 'webhook-not-found';
  readonly kind = 'not-found' as const;
  constructor(webhookId: string) {
    super('There is no such webhook', { extra: { webhook_id: webhookId } });
  }
}

export class WebhookDeliveryNotFound extends DomainError {
  readonly code = 'webhook-delivery-not-found';
  readonly kind = 'not-found' as const;
  constructor(deliveryId: string) {
    super('The webhook has no such delivery', { extra: { delivery_id: deliveryId } });
  }
}

export class TooManyWebhooks extends DomainError {
  readonly code = 'too-many-webhooks';
  readonly kind = 'conflict' as const;
  constructor(most: number) {
    super(`A tenant has at most ${most} webhooks`, { extra: { most } });
  }
}

/** A document's facts come with its assessment. */
export class FactsNotReady extends DomainError {
  readonly code = 'facts-not-ready';
  readonly kind = 'conflict' as const;
  constructor(documentId: string, status: string) {
    super('The document has not been assessed yet', {
      extra: { document_id: documentId, document_status: status },
    });
  }
}

/** The row is there and the file is not: somebody removed it from the disk. */
export class ContentMissing extends DomainError {
  readonly code = 'content-missing';
  readonly kind = 'unavailable' as const;
  constructor() {
    super('The file of this document cannot be found in the store');
  }
}

/** The disk is full or cannot be written. */
export class StorageUnavailable extends DomainError {
  readonly code = 'storage-unavailable';
  readonly kind = 'unavailable' as const;
  constructor(options: { cause?: unknown } = {}) {
    super('Documents cannot be stored at the moment', { retryAfterMs: 60_000, ...options });
  }
}

/** A scanner knows what is in the file. Its name is not told: it would tell how to hide it. */
export class MalwareFound extends DomainError {
  readonly code = 'malware-found';
  readonly kind = 'unprocessable' as const;
  constructor() {
    super('The file was refused by the malware scanner');
  }
}

/** Larger than the scanner takes, and what is not scanned is not accepted. */
export class DocumentNotScannable extends DomainError {
  readonly code = 'document-not-scannable';
  readonly kind = 'too-large' as const;
  constructor() {
    super('The file is too large for the malware scanner');
  }
}

/** What is not scanned is not accepted, so nothing can be uploaded until the scanner is back. */
export class ScannerUnavailable extends DomainError {
  readonly code = 'scanner-unavailable';
  readonly kind = 'unavailable' as const;
  constructor(options: { cause?: unknown } = {}) {
    super('Files cannot be scanned for malware at the moment', { retryAfterMs: 15_000, ...options });
  }
}
