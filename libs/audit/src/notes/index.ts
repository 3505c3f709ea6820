export { AuditKeys, AuditKeysUnusable } from './audit-keys.js';
export { type Checkpoint, checkpointText, parseCheckpoint } from './checkpoint-note.js';
export {
  decodeVerifier,
  encodeVerifier,
  NoteNotSigned,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  signNote,
} from './signed-note.js';
