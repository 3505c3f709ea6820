import type { TenantRules } from '#libs/auth';
import type { Degradation, ServiceLevel } from '#libs/resilience';
import type { Box } from '../passages/passage.js';
import type { SpokenTime } from '../passages/time.js';
import type { AnswerPiece } from './answer-pieces.js';

export interface AnswerRequest {
  reader: { tenantId: string; userId: string };
  /** It must stand by itself: what was asked before is not known here. */
  question: string;
  /** Only these documents, only this collection, only documents with all of these tags. */
  documentIds?: string[];
  collection?: string;
  tags?: string[];
  /** What the reader's tenant has decided; whoever answers looks it up. */
  rules?: TenantRules;
}

/** A passage that the answer was looked for in, best first. Its text is in the quotes only. */
export interface SearchResult extends SpokenTime {
  passageId: string;
  documentId: string;
  documentTitle: string;
  headingPath: string[];
  page: number | null;
}

/** An answer on its way: `search-results`, then pieces, then exactly one `answer`. */
export type AnswerEvent =
  { type: 'search-results'; results: SearchResult[] } | AnswerPiece | { type: 'answer'; answer: Answer };

/** An answer to one question, with the places in the user's documents that it rests on. */
export interface Answer {
  text: string;
  /** True when nothing in the documents is relevant enough; then there are no citations. */
  notInDocuments: boolean;
  /** 0 to 1: how sure we are that the documents say so. Calibrated on the evaluation sets. */
  grounding: number;
  citations: Citation[];
  /** The step of the ladder that served: `cache`, `provider:model`, `cache-stale` or `extractive`. */
  servedBy: string;
  serviceLevel: ServiceLevel;
  /** Why it is not `full`. */
  degradations: Degradation[];
  /** RFC 3339; when it was written, of an earlier answer that is given again because nothing better could be had. */
  asOf?: string;
  /** The model was cut off at the length that an answer may have. */
  isTruncated?: boolean;
  usage: { inputTokens: number; outputTokens: number } | null;
  timings: { retrieveMs: number; generateMs: number; totalMs: number };
  /** Documents that were asked about and could not be searched yet. */
  pendingDocumentIds: string[];
}

/**
 * Spans are UTF-16 code units: `source*` in the passage's text; `answer*` in the answer's text, for the words that
 * rest on the quote (or are it).
 */
export interface Citation extends SpokenTime {
  /** 1, 2, 3 …; stands in the answer's text as [1]. */
  marker: number;
  documentId: string;
  documentTitle: string;
  passageId: string;
  page: number | null;
  box: Box | null;
  /** Exactly `passage.text.slice(sourceStart, sourceEnd)`. */
  quote: string;
  sourceStart: number;
  sourceEnd: number;
  answerStart: number;
  answerEnd: number;
}
