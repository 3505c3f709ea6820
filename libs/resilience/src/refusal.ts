import { DependencyUnavailable, type UnavailableReason } from '#libs/errors';

/**
 * The error of a call that was not made. Without a stack: taking one costs more than all the rest of a refusal, and
 * refusals come by the thousand when they come. Where it was refused, `dependency` and `reason` say.
 */
export function refusal(
  dependency: string,
  reason: UnavailableReason,
  retryAfterMs: number,
): DependencyUnavailable {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new DependencyUnavailable(dependency, { reason, retryAfterMs: Math.ceil(retryAfterMs) });
  } finally {
    Error.stackTraceLimit = limit;
  }
}
