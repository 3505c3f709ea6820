/** How much a piece of work matters when there is too much of it; in order, what is given up last first. */
export const PRIORITIES = ['critical-plus', 'critical', 'sheddable-plus', 'sheddable'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface CallOptions {
  /** Aborts the call and its waiting; may carry a deadline (`deadlineSignal`). */
  signal?: AbortSignal;
  /** For one attempt, when the policy's own limit is longer than this call can wait. */
  timeoutMs?: number;
  /** How long it may wait for a permit, instead of as long as the policy says. */
  maxWaitMs?: number;
  /** What is asked of the dependency, such as `read` or `embed`; for metrics, spans and injected faults. */
  operation?: string;
  /** Doing it twice does no harm. Only such a call is retried or hedged. */
  idempotent?: boolean;
  /** Whose call it is, for fair shares and the retry budget; unless given, that of the request or job under way. */
  tenantId?: string;
  /** Unless given, that of the request under way; `sheddable-plus` outside of requests. */
  priority?: Priority;
}
