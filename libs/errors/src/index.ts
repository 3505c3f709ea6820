export { DomainError, type DomainErrorOptions, type ErrorKind } from './domain-error.js';
export {
  DeadlineExceeded,
  DependencyTimeout,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
  TransientFailure,
  type UnavailableOptions,
  type UnavailableReason,
} from './dependency-errors.js';
export { problem, problemOf, type Problem } from './problem.js';
