import { currentContext } from '#libs/observability';
import type { CallOptions } from './call.js';
import type { Call, Work } from './pipeline/index.js';

/** A call with what it does not say itself taken from the request or job under way. */
export function callOf(
  work: Work,
  options: CallOptions,
  isStream: boolean,
  backgroundMaxWaitMs?: number,
): Call {
  const context = currentContext();
  const priority = options.priority ?? context?.priority;
  return {
    work,
    operation: options.operation,
    idempotent: options.idempotent === true,
    tenantId: options.tenantId ?? context?.tenantId,
    priority: priority ?? 'sheddable-plus',
    isStream,
    // Whoever says nothing of how much it matters is no request: nobody is waiting.
    maxWaitMs: options.maxWaitMs ?? (priority === undefined ? backgroundMaxWaitMs : undefined),
  };
}
