import type { Check } from './check.js';

/** No document went back: not in its status, not in what can be asked of it. Also what clients are told is well-formed. */
export const states: Check = async ({ history }) =>
  history.violations
    .filter(({ rule }) => rule !== 'tenant-isolation')
    .map(({ rule, text }) => `${rule}: ${text}`);
