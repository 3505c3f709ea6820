import type { Box } from '../passages/passage.js';

export type ServiceLevel = 'full' | 'degraded' | 'minimal' | 'unavailable';

/** An answer to one question, with the places in the user's documents that it rests on. */
export interface Answer {
  text: string;
  /** True when nothing in the documents is relevant enough; then there are no citations. */
  notInDocuments: boolean;
  /** 0 to 1: how sure we are that the documents say so. Calibrated on the evaluation sets. */
  grounding: number;
  citations: Citation[];
  /** The step of the ladder that served: `provider:model`, `cache` or `extractive`. */
  servedBy: string;
  serviceLevel: ServiceLevel;
  usage: { inputTokens: number; outputTokens: number } | null;
  timings: { retrieveMs: number; generateMs: number; totalMs: number };
}

/** Spans are UTF-16 code units: `source*` in the passage's text, `answer*` in the answer's text. */
export interface Citation {
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
