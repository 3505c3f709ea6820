import {
  type AlertRule,
  capabilityBelowFull,
  circuitOpen,
  counterIncreased,
  eventLoopStalled,
  gaugeAbove,
  policySaturated,
  retryBudgetExhausted,
} from '#libs/monitoring';
import type { DegradationRegistry, PolicyRegistry } from '#libs/resilience';
import { overrideInForce, type ResilienceOverrides } from './ops/index.js';

/** With workers at work, a job waits for as long as the documents before it take. */
const LONG_WAIT_SECONDS = 300;
/** It takes a second; a transaction that is left open holds up all that came after it. */
const UNSEALED_SECONDS = 30;
/** A capability may be below full while a circuit tries again; longer than that, somebody should know. */
const BELOW_FULL_FACTOR = 2;

/** What operators are told of. */
export function alertRules(
  policies: PolicyRegistry,
  degradation: DegradationRegistry,
  overrides: ResilienceOverrides,
  { forMs, stuckAfterMs }: { forMs: number; stuckAfterMs: number },
): AlertRule[] {
  return [
    circuitOpen(policies, (policy) => (policy === 'postgres' ? 'critical' : 'error')),
    overrideInForce(overrides),
    capabilityBelowFull(degradation, { forMs: BELOW_FULL_FACTOR * forMs }),
    retryBudgetExhausted(policies),
    policySaturated(policies),
    eventLoopStalled(),
    gaugeAbove({
      name: 'queue-age',
      severity: 'warning',
      cleared: 'jobs no longer wait for long',
      metric: 'navigator_ingestion_queue_age_seconds',
      limit: LONG_WAIT_SECONDS,
      subject: 'job-queue',
      summary: `A document has waited for more than ${LONG_WAIT_SECONDS} s to be processed`,
      scope: 'fleet',
    }),
    gaugeAbove({
      name: 'worker-stuck',
      severity: 'error',
      cleared: 'the worker gets on',
      metric: 'navigator_worker_last_progress_seconds',
      limit: stuckAfterMs / 1_000,
      subject: 'ingestion-worker',
      summary:
        'The worker of a process, or one of its jobs, stands still; a restart helps if it does not end',
    }),
    gaugeAbove({
      name: 'audit-unsealed',
      severity: 'error',
      cleared: 'audit events are sealed in time',
      metric: 'navigator_audit_seal_lag_seconds',
      limit: UNSEALED_SECONDS,
      subject: 'audit-log',
      summary: `An audit event has waited for more than ${UNSEALED_SECONDS} s to be sealed`,
      scope: 'fleet',
    }),
    counterIncreased({
      name: 'audit-lost',
      severity: 'critical',
      cleared: 'no more audit events are lost',
      metric: 'navigator_audit_lost_total',
      labels: { cause: 'error' },
      subject: 'audit-log',
      summary: 'Audit events of refused or failed requests could not be kept anywhere',
    }),
    counterIncreased({
      name: 'cache-rejected',
      severity: 'warning',
      cleared: 'the cache holds what it should',
      metric: 'navigator_cache_rejected_total',
      subject: 'cache',
      summary: 'Values in the cache were not what this installation wrote; they were deleted',
    }),
  ];
}
