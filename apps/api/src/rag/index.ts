export type { Box, NewPassage, Passage, PassageCell, PassageRow } from './passages/passage.js';
