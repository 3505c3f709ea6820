import type { FaultInjector } from '../faults.js';
import type { Attempt } from './attempt.js';
import type { Next, Strategy } from './pipeline.js';

/** Lets faults take the place of the call. A stream's faults stand in its work already, around `open`. */
export class FaultStrategy implements Strategy {
  readonly kind = 'faults';

  constructor(
    private readonly dependency: string,
    private readonly faults: FaultInjector,
  ) {}

  execute(attempt: Attempt, next: Next): Promise<unknown> {
    const { operation, isStream } = attempt.call;
    if (isStream) return next(attempt);
    const call = (signal: AbortSignal) => {
      attempt.callSignal = signal;
      return next(attempt);
    };
    return this.faults.apply({ dependency: this.dependency, operation }, call, attempt.effectiveSignal);
  }
}
