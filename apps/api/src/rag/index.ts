export type { Box, NewPassage, Passage, PassageCell, PassageRow } from './passages/passage.js';
export { sentencesOf } from './text/index.js';
export { AnswerService } from './answering/answer.service.js';
export type {
  Answer,
  AnswerEvent,
  AnswerRequest,
  Citation,
  SearchResult,
  ServiceLevel,
} from './answering/answer.js';
export { piecesOf, type AnswerPiece } from './answering/answer-pieces.js';
export { chatModelNames } from './providers/chat-models.js';
export {
  anthropicSection,
  chatSection,
  compatibleSection,
  openaiSection,
} from './providers/providers.config.js';
