import { createHash } from 'node:crypto';
import type { Answer, AnswerRequest, SearchResult } from './answer.js';
import { PROMPT_VERSION } from './generated/index.js';

export interface CachedAnswer {
  answer: Answer;
  results: SearchResult[];
}

/** Where answers are kept for the next time the same is asked. It may fail: that is a miss. */
export abstract class AnswerCache {
  abstract get(key: string): Promise<CachedAnswer | undefined>;
  abstract set(key: string, value: CachedAnswer): Promise<void>;
}

/** Raise it when the shape of what is kept changes. */
const SHAPE = 1;

/**
 * Two questions share a key only when they must have the same answer: same tenant, same reader, the same documents in
 * the same versions, the same words, the same models and instructions. The reader is in the key besides the documents
 * that he sees, so that no mistake in those can show one person's answer to another.
 */
export function answerKey(request: AnswerRequest, fingerprint: string, models: readonly string[]): string {
  const { reader, question, documentIds, collection, tags } = request;
  const parts = [
    SHAPE,
    reader.tenantId,
    reader.userId,
    fingerprint,
    [...new Set(documentIds)].sort(),
    collection ?? null,
    [...new Set(tags)].sort(),
    question.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase(),
    models,
    models.length > 0 ? PROMPT_VERSION : null,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
