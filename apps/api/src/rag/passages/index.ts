/** What is needed to make passages, and nothing that talks to a database or a model: parser processes load it, too. */
export type { Box, NewPassage, Passage, PassageCell, PassageRow } from './passage.js';
export { batchOf, type PassageBatch, PASSAGES_PER_BLOCK } from './passage-batch.js';
export { sentencesOf } from '../text/index.js';
