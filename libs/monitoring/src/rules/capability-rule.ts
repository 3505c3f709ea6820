import type { DegradationRegistry, ServiceLevel } from '#libs/resilience';
import type { AlertRule, Severity } from '../alert.js';

const SEVERITY_OF: Record<ServiceLevel, Severity> = {
  full: 'info',
  degraded: 'warning',
  minimal: 'error',
  unavailable: 'critical',
};

/** Users get less than the product can do. */
export function capabilityBelowFull(
  degradation: Pick<DegradationRegistry, 'list'>,
  { forMs }: { forMs: number },
): AlertRule {
  return {
    name: 'capability-below-full',
    severity: 'warning',
    cleared: 'the capability is at its full level',
    forMs,
    observe: () =>
      degradation
        .list()
        .filter(({ level }) => level !== 'full')
        .map(({ capability, level, reasons }) => ({
          subject: capability,
          summary: [`${capability} is ${level}`, reasons.join(', ')].filter(Boolean).join(': '),
          severity: SEVERITY_OF[level],
        })),
  };
}
