import { DocumentsFailed, DocumentsNotFound, DocumentsNotReady } from './answer.errors.js';
import type { Scope } from './scope.store.js';

/** @throws unless there is something to answer from, or nothing at all, which is an answer too */
export function requireAnswerable(scope: Scope): void {
  const { answerable, pendingDocumentIds, failedDocumentIds, unknownDocumentIds } = scope;
  if (unknownDocumentIds.length > 0) throw new DocumentsNotFound(unknownDocumentIds);
  if (answerable > 0) return;
  if (pendingDocumentIds.length > 0) throw new DocumentsNotReady(pendingDocumentIds, failedDocumentIds);
  if (failedDocumentIds.length > 0) throw new DocumentsFailed(failedDocumentIds);
}
