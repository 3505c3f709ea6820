import { DomainError, type ErrorKind } from './domain-error.js';

/** RFC 9457 problem details, with the extra members every error of ours carries. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  request_id?: string;
  [member: string]: unknown;
}

const STATUS_OF_KIND: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'not-acceptable': 406,
  timeout: 504,
  conflict: 409,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-type': 415,
  'range-not-satisfiable': 416,
  unprocessable: 422,
  'rate-limited': 429,
  unavailable: 503,
};

/** Trying the same request again may help only here. */
const RETRYABLE_STATUS = new Set([429, 502, 503, 504]);

/** The problem document of an expected failure. */
export function problemOf(error: DomainError, requestId?: string): Problem {
  return {
    ...error.extra,
    ...problem(STATUS_OF_KIND[error.kind], error.code, error.message, requestId),
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: Math.round(error.retryAfterMs) }),
  };
}

/** A problem document from its parts, for failures that are not `DomainError`s (unknown routes, bugs). */
export function problem(status: number, code: string, detail: string, requestId?: string): Problem {
  return {
    type: `/problems/${code}`,
    title: code.replaceAll('-', ' '),
    status,
    detail,
    code,
    retryable: RETRYABLE_STATUS.has(status),
    ...(requestId ? { request_id: requestId } : {}),
  };
}
