export { SealBroken, SealingKey, SealingKeyUnusable } from './sealing-key.js';
