import { DomainError } from '#libs/errors';

/** Also for documents that exist and that this reader may not see. */
export class DocumentsNotFound extends DomainError {
  readonly code = 'document-not-found';
  readonly kind = 'not-found' as const;
  constructor(documentIds: string[]) {
    super('There is no such document', { extra: { document_ids: documentIds } });
  }
}

export class DocumentsNotReady extends DomainError {
  readonly code = 'documents-not-ready';
  readonly kind = 'conflict' as const;
  constructor(pendingDocumentIds: string[], failedDocumentIds: string[]) {
    super('The documents are still being processed; ask again when they are answerable', {
      extra: { pending_document_ids: pendingDocumentIds, failed_document_ids: failedDocumentIds },
      retryAfterMs: 5_000,
    });
  }
}

/** None of the documents asked about could be processed, so "not in your documents" would be a lie. */
export class DocumentsFailed extends DomainError {
  readonly code = 'documents-failed';
  readonly kind = 'conflict' as const;
  constructor(failedDocumentIds: string[]) {
    super('The documents could not be processed, so nothing can be answered from them', {
      extra: { failed_document_ids: failedDocumentIds },
    });
  }
}

/** The model broke off after the reader had seen a part of its answer, so no other may go on. */
export class AnswerInterrupted extends DomainError {
  readonly code = 'answer-interrupted';
  readonly kind = 'unavailable' as const;
  constructor(model: string, cause: unknown) {
    super(`${model} broke off in the middle of the answer`, { cause, retryAfterMs: 1_000 });
  }
}

/**
 * The last step of the ladder: neither the documents nor an earlier answer can be had, so nothing honest can be said
 * about them. What can be said is what to do until then.
 */
export class AnswersUnavailable extends DomainError {
  readonly code = 'answers-unavailable';
  readonly kind = 'unavailable' as const;
  constructor(cause: unknown) {
    super('Your documents cannot be reached at the moment, so nothing can be answered from them', {
      cause,
      retryAfterMs: 5_000,
      extra: {
        reason: cause instanceof DomainError ? cause.code : 'unknown',
        guidance:
          'Nothing that you uploaded or asked is lost, and answers come back by themselves: ask again in a moment. ' +
          'If it is urgent, call the number on your insurance card.',
      },
    });
  }
}
