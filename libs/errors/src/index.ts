export { DomainError, type DomainErrorOptions, type ErrorKind } from './domain-error.js';
export { DependencyTimeout, DependencyUnavailable, TransientFailure } from './dependency-errors.js';
export { problem, problemOf, type Problem } from './problem.js';
