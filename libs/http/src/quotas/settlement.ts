import { currentContext } from '#libs/observability';
import type { RateClassName } from '../declarations.js';
import type { QuotaOwner, Quotas } from './quotas.js';

const SETTLEMENT = Symbol('settlement of a quota');

/** What was taken for a request at the door, until more is known. */
interface Settlement {
  quotas: Pick<Quotas, 'settle'>;
  owner: QuotaOwner;
  rateClass: RateClassName;
  units: number;
}

export function beginSettlement(settlement: Settlement): void {
  currentContext()?.state.set(SETTLEMENT, settlement);
}

/**
 * Says how many units of its quota the request under way has really cost, which its route's `cost` could only guess. May
 * be said late, and again: the last word holds. Where no quota was drawn on (a job, a test) it does nothing.
 */
export function settleQuota(units: number): void {
  const settlement = currentContext()?.state.get(SETTLEMENT) as Settlement | undefined;
  if (!settlement) return;
  settlement.quotas.settle(settlement.owner, settlement.rateClass, units - settlement.units);
  settlement.units = units;
}
