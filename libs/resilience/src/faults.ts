/**
 * Makes calls fail on purpose. It stands innermost, right around the call, so that everything else of a policy is what
 * is put to the test. `libs/faults` implements it; without one nothing is injected.
 */
export interface FaultInjector {
  apply<T>(target: FaultTarget, call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
  stream<T>(
    target: FaultTarget,
    open: (signal: AbortSignal) => AsyncIterable<T>,
    signal: AbortSignal,
  ): AsyncIterable<T>;
}

export interface FaultTarget {
  /** The policy's name. */
  dependency: string;
  operation?: string;
}
