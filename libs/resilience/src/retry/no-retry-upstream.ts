/** Failures of calls that were already made again, or that must not be. */
const marked = new WeakSet<object>();

/** Whoever gets this error must not make the call again: that would multiply the attempts of both. */
export function markNoRetryUpstream(error: unknown): void {
  if (typeof error === 'object' && error !== null) marked.add(error);
}

/** Whether the error, or one that it was made of, was marked. */
export function isNoRetryUpstream(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < MAX_DEPTH; depth++) {
    if (marked.has(cause)) return true;
    cause = cause.cause;
  }
  return false;
}

const MAX_DEPTH = 8;
