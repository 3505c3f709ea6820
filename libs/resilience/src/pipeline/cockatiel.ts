import { type IDefaultPolicyContext, type IPolicy, TaskCancelledError } from 'cockatiel';
import { AttemptTimeout } from '../outcome.js';
import type { Strategy, StrategyKind } from './pipeline.js';

/**
 * A stock policy of cockatiel in one place of a pipeline, so that it fits beside ours and its order is checked too. What
 * is inside of it gets the signal that it hands on.
 */
export function fromCockatiel(kind: StrategyKind, policy: IPolicy<IDefaultPolicyContext>): Strategy {
  return {
    kind,
    async execute(attempt, next) {
      const startedAt = performance.now();
      try {
        return await policy.execute(({ signal }) => next(attempt.again(signal)), attempt.signal);
      } catch (error) {
        if (attempt.signal?.aborted) throw attempt.signal.reason;
        if (error instanceof TaskCancelledError)
          throw new AttemptTimeout(Math.round(performance.now() - startedAt));
        throw error;
      }
    },
  };
}
