export { RagModule } from './rag.module.js';
export type { Box, NewPassage, Passage, PassageCell, PassageRow } from './passages/passage.js';
export type { PassageBatch } from './passages/passage-batch.js';
export {
  type GenerationKey,
  passageId,
  PassageStore,
  unembedded,
  type UnembeddedPassage,
} from './passages/passage.store.js';
export { mayRead } from './passages/search-scope.js';
export { timeBody, timeLabel, toTimeBody } from './passages/time.js';
export { prepareVectorIndex } from './passages/vectors/choose-index.js';
export { sentencesOf } from './text/index.js';
export {
  Retriever,
  type Retrieval,
  type RetrievalRequest,
  type RetrievedPassage,
} from './retrieval/retriever.js';
export { retrievalSection } from './retrieval/retrieval.config.js';
export { findVerbatim } from './answering/generated/index.js';
export {
  readingDigest,
  type ReadingFailure,
  type ReadingRequest,
  type ReadingResult,
  StructuredReader,
} from './structured/index.js';
export { ANSWER_CACHES } from './answering/answer-cache.js';
export { AnswerService } from './answering/answer.service.js';
export type { RepeatedAnswer } from './answering/repeated-answers.js';
export { fingerprintNow } from './answering/scope.store.js';
export { DeletedDocuments } from './answering/deleted-documents.js';
export { type Withdrawal, Withdrawals } from './answering/withdrawals.js';
export type { Answer, AnswerEvent, AnswerRequest, Citation, SearchResult } from './answering/answer.js';
export { piecesOf, type AnswerPiece } from './answering/answer-pieces.js';
export { Embedder } from './providers/provider.js';
export {
  dimensionsOf,
  type EmbedderConfig,
  embedderSection,
  type PreviousEmbedderConfig,
  previousEmbedderSection,
} from './providers/embedder.config.js';
export { checkedVectors, EmbedderMisbehaved } from './providers/checked-vectors.js';
export { ModelRejected, ProviderFailure } from './providers/provider-failure.js';
export { ProviderClient } from './providers/provider-client.js';
export { providerProbes } from './providers/provider-probes.js';
export { chatModelNames } from './providers/chat-models.js';
export {
  anthropicSection,
  type ChatConfig,
  chatSection,
  compatibleSection,
  openaiSection,
} from './providers/providers.config.js';
