export { Frontier } from './frontier.js';
export { emptyRoot, HASH_BYTES, leafHash, nodeHash, rootOf } from './hashes.js';
export { consistencyPath, inclusionPath, isConsistent, isIncluded, type SubtreeRoot } from './proofs.js';
