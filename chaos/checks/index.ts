import type { CheckName } from '../cell.js';
import { alerts } from './alerts.js';
import { acknowledged, once } from './acknowledged.js';
import { amplification } from './amplification.js';
import { audit } from './audit.js';
import { baseline } from './baseline.js';
import type { Check, CheckedCell } from './check.js';
import { isolation } from './isolation.js';
import { levels } from './levels.js';
import { secrets } from './secrets.js';
import { states } from './states.js';

export { StateWatcher } from './state-watcher.js';

const CHECKS: Record<CheckName, Check> = {
  acknowledged,
  once,
  isolation,
  audit,
  states,
  baseline,
  levels,
  amplification,
  secrets,
  alerts,
};

export interface CheckResult {
  check: CheckName;
  wrong: string[];
}

/** All checks but those that the cell says have no meaning for it. */
export async function runChecks(checked: CheckedCell): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [name, check] of Object.entries(CHECKS) as [CheckName, Check][]) {
    if (checked.cell.without?.[name]) continue;
    const wrong = await check(checked).catch((error: Error) => [`could not be checked: ${error.message}`]);
    results.push({ check: name, wrong });
  }
  return results;
}
