export type { Box, NewPassage, Passage, PassageCell, PassageRow } from './passages/passage.js';
export { sentencesOf } from './text/index.js';
