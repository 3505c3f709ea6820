import { DomainError, type ErrorKind } from './domain-error.js';
import { DependencyUnavailable, TransientFailure } from './dependency-errors.js';
import { problemOf } from './problem.js';

class DocumentTooLarge extends DomainError {
  readonly code = 'document-too-large';
  readonly kind = 'too-large' as const;
}
class OfKind extends DomainError {
  readonly code = 'of-kind';
  constructor(readonly kind: ErrorKind) {
    super('something');
  }
}

describe('a problem document', () => {
  it('has a stable code, a type made of it, and the extra members of the error', () => {
    const error = new DocumentTooLarge('The document has 3 bytes; the limit is 2', {
      extra: { limit_bytes: 2 },
    });
    expect(problemOf(error, 'request-1')).toEqual({
      type: '/problems/document-too-large',
      title: 'document too large',
      status: 413,
      detail: 'The document has 3 bytes; the limit is 2',
      code: 'document-too-large',
      retryable: false,
      request_id: 'request-1',
      limit_bytes: 2,
    });
  });

  it('never lets an extra member take the place of a standard one', () => {
    expect(problemOf(new DocumentTooLarge('x', { extra: { status: 200, code: 'fine' } }))).toMatchObject({
      status: 413,
      code: 'document-too-large',
    });
  });

  it.each([
    ['invalid', 400, false],
    ['unauthenticated', 401, false],
    ['forbidden', 403, false],
    ['not-found', 404, false],
    ['conflict', 409, false],
    ['timeout', 504, true],
    ['unsupported-type', 415, false],
    ['range-not-satisfiable', 416, false],
    ['unprocessable', 422, false],
    ['rate-limited', 429, true],
    ['unavailable', 503, true],
  ] as const)('of kind %s has status %i and retryable %s', (kind, status, retryable) => {
    expect(problemOf(new OfKind(kind))).toMatchObject({ status, retryable });
  });

  it('says when an unavailable dependency may be tried again', () => {
    const error = new DependencyUnavailable('postgres', { cause: new TransientFailure('reset') });
    expect(error).toMatchObject({
      name: 'DependencyUnavailable',
      retryAfterMs: 5_000,
      reason: 'failed',
      dependency: 'postgres',
    });
  });
});
