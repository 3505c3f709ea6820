/** What a person has already paid this plan year, in dollars. */
export interface PaidSoFar {
  deductible: number;
  outOfPocket: number;
}

/** How a bill is split. `member` is what the person pays in all, `plan` what the plan pays. */
export interface CostSplit {
  allowed: number;
  deductible: number;
  coinsurance: number;
  /** What the out-of-pocket limit spared the person. */
  spared: number;
  member: number;
  plan: number;
}

/** Splits an allowed amount by the plan's rule: deductible first, then coinsurance, never above the limit. */
export function splitCost(
  allowed: number,
  rule: { deductible: number; share: number; limit: number },
  paid: PaidSoFar = { deductible: 0, outOfPocket: 0 },
): CostSplit {
  const deductible = Math.min(allowed, Math.max(0, rule.deductible - paid.deductible));
  const coinsurance = Math.round((allowed - deductible) * rule.share * 100) / 100;
  const member = Math.min(deductible + coinsurance, Math.max(0, rule.limit - paid.outOfPocket));
  return {
    allowed,
    deductible,
    coinsurance,
    spared: deductible + coinsurance - member,
    member,
    plan: allowed - member,
  };
}
