import type { TransactionOptions } from '#libs/database';
import { deadlineSignal } from '#libs/resilience';

/** For one statement, which finds a row by its key; a database that takes longer for it is as good as away. */
const STATEMENT_MS = 1_000;
const LOOK_MS = 3_000;

/**
 * Runs a look at a credential. It goes before other work, because everything waits for it, and ends in time for those
 * who may be believed without it.
 *
 * @throws DeadlineExceeded, besides what the look throws
 */
export async function withinVerificationLimits<T>(
  look: (options: TransactionOptions) => Promise<T>,
): Promise<T> {
  const { signal, clear } = deadlineSignal(LOOK_MS);
  try {
    return await look({ signal, timeoutMs: STATEMENT_MS, priority: 'critical-plus' });
  } finally {
    clear();
  }
}
