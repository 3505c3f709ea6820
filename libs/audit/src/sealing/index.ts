export { type Anchor, FileAnchor, WebhookAnchor } from './anchors.js';
export { headBody, toCheckpoint, type CheckpointRow, type StoredCheckpoint } from './checkpoint.store.js';
export { Sealer, type SealerOptions } from './sealer.js';
export { LOG, subtreesOf, TILE_WIDTH } from './tree.store.js';
