import { sumOfMetric } from '#libs/observability';
import { type Clock, systemClock } from '#libs/resilience';
import type { AlertRule, Observation } from '../alert.js';

interface MetricRule extends Pick<AlertRule, 'name' | 'severity' | 'cleared'> {
  metric: string;
  labels?: Record<string, string>;
  subject: string;
  summary: string;
  scope?: Observation['scope'];
}

/** A single event is shown for so long, so that a look every second cannot miss it. */
const SHOWN_MS = 10_000;
/** What costs a query is not asked every second. */
const LOOK_EVERY_MS = 10_000;

/** Something was counted that should never be. */
export function counterIncreased(rule: MetricRule, clock: Clock = systemClock): AlertRule {
  const { metric, labels, subject, summary, scope, ...rest } = rule;
  let counted: number | undefined;
  let shownUntil = -Infinity;
  return {
    ...rest,
    forMs: 0,
    async observe() {
      const value = (await sumOfMetric(metric, labels)) ?? 0;
      // What was counted before the first look is from before the start of the rule.
      if (counted !== undefined && value > counted) shownUntil = clock.now() + SHOWN_MS;
      counted = value;
      return clock.now() < shownUntil ? [{ subject, summary, scope }] : [];
    },
  };
}

/** A gauge stands above its limit. */
export function gaugeAbove(rule: MetricRule & { limit: number }, clock: Clock = systemClock): AlertRule {
  const { metric, labels, subject, summary, scope, limit, ...rest } = rule;
  let lookAt = -Infinity;
  let latest: number | undefined;
  return {
    ...rest,
    async observe() {
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + LOOK_EVERY_MS;
        latest = await sumOfMetric(metric, labels);
      }
      if (latest === undefined || Number.isNaN(latest)) throw new Error(`${metric} tells nothing`);
      return latest > limit ? [{ subject, summary, scope }] : [];
    },
  };
}
