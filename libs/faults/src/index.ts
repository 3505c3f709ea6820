export { Faults } from './faults.js';
export { faultsSection, type FaultsConfig } from './faults.config.js';
export { FAULT_TAG_HEADER } from './fault-context.js';
export { registerFaultHooks } from './fault-hooks.js';
export {
  FAULT_ERRORS,
  FAULT_KINDS,
  isAllowed,
  LONGEST_TTL_SECONDS,
  type FaultError,
  type FaultKind,
  type FaultRule,
  type NewFaultRule,
} from './fault-rule.js';
