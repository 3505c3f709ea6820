export { createPolicy, type Policy, type PolicyOptions } from './policy.js';
export { PolicyRegistry } from './policy-registry.js';
