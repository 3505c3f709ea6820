import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caches } from '#libs/cache';
import type { Answer, AnswerRequest, SearchResult } from './answer.js';
import { PROMPT_VERSION } from './generated/index.js';

/** A document that an answer cites, in the version that it was read in. */
export interface CitedVersion {
  documentId: string;
  version: number;
}

/** An answer as it is kept, with all that tells whether it may be given again. */
export interface KeptAnswer {
  answer: Answer;
  results: SearchResult[];
  /** Of the reader's documents when it was written (`Scope.fingerprint`). */
  fingerprint: string;
  /**
   * One for each document that the answer cites; empty where the versions are not known. They must have been read no
   * later than the passages: too old a version makes the answer unservable, too new a one would make it wrong.
   */
  cited: CitedVersion[];
  /** When it was written, as ISO 8601. */
  asOf: string;
}

/** One named cache; `SafeCache` is one. It never fails: a failure is a miss. */
export interface AnswerStore {
  forTenant(tenantId: string): {
    get(key: string): Promise<KeptAnswer | undefined>;
    set(key: string, value: KeptAnswer): Promise<void>;
    delete(key: string): Promise<void>;
  };
}

const FRESH = 'answers';
const LAST = 'last-answers';
/** The caches that hold text of answers, by the names that `Caches` knows. */
export const ANSWER_CACHES: readonly string[] = [FRESH, LAST];

export interface AnswerCacheSettings {
  answerTtlSeconds: number;
  staleAnswerSeconds: number;
}

/**
 * Answers that were given, for the next time the same is asked. Two questions share one only when they must have the
 * same answer: same tenant with the same rules, same reader, same selection, same words, same models and instructions. The reader counts
 * besides the documents that he sees, so that no mistake in those can show one person's answer to another.
 *
 * `findFresh` asks for the same documents in the same versions too. `findLast` does not: whoever serves what it gives
 * checks it with `stillHolds`, or marks it as stale when there is nobody to ask.
 */
export class AnswerCache {
  constructor(
    private readonly fresh: AnswerStore,
    /** Absent: no last answers are kept. */
    private readonly last: AnswerStore | undefined,
    private readonly models: readonly string[],
  ) {}

  static on(caches: Caches, settings: AnswerCacheSettings, models: readonly string[]): AnswerCache {
    const { answerTtlSeconds, staleAnswerSeconds } = settings;
    const store = (name: string, ttlSeconds: number) =>
      caches.named(name, { ttlSeconds, schema: KEPT_ANSWER });
    return new AnswerCache(
      store(FRESH, answerTtlSeconds),
      staleAnswerSeconds > 0 ? store(LAST, staleAnswerSeconds) : undefined,
      models,
    );
  }

  findFresh(request: AnswerRequest, fingerprint: string): Promise<KeptAnswer | undefined> {
    return this.fresh.forTenant(request.reader.tenantId).get(freshKey(request, this.models, fingerprint));
  }

  /** The last good answer, whatever has happened to the documents since. */
  async findLast(request: AnswerRequest): Promise<KeptAnswer | undefined> {
    return this.last?.forTenant(request.reader.tenantId).get(lastKey(request, this.models));
  }

  /** Only for answers of the level `full`: what a failure made of one must not outlive the failure. */
  async save(request: AnswerRequest, kept: Omit<KeptAnswer, 'asOf'>): Promise<void> {
    const value = { ...kept, asOf: new Date().toISOString() };
    const { tenantId } = request.reader;
    await Promise.all([
      this.fresh.forTenant(tenantId).set(freshKey(request, this.models, kept.fingerprint), value),
      this.last?.forTenant(tenantId).set(lastKey(request, this.models), value),
    ]);
  }

  /** The same for all who must get the same answer. */
  keyFor(request: AnswerRequest, fingerprint: string): string {
    return freshKey(request, this.models, fingerprint);
  }

  /** Whether it is known that there is no answer to this question, fresh or not. */
  async isNew(request: AnswerRequest): Promise<boolean> {
    return this.last !== undefined && (await this.findLast(request)) === undefined;
  }

  /** For a last answer that holds no more. */
  async forgetLast(request: AnswerRequest): Promise<void> {
    await this.last?.forTenant(request.reader.tenantId).delete(lastKey(request, this.models));
  }
}

/**
 * Whether an answer may be given again: nothing has changed at all, or every document that it cites is still visible
 * to this reader in the version that it was read in. An answer that cites nothing ("not in the documents") holds only
 * as long as nothing has changed.
 *
 * @param visible the versions of those of the cited documents that the reader may see now
 */
export function stillHolds(
  { fingerprint, cited, answer }: KeptAnswer,
  now: { fingerprint: string; visible: ReadonlyMap<string, number> },
): boolean {
  if (fingerprint === now.fingerprint) return true;
  const versions = new Map(cited.map(({ documentId, version }) => [documentId, version]));
  return (
    answer.citations.length > 0 &&
    answer.citations.every(({ documentId }) => {
      const version = versions.get(documentId);
      return version !== undefined && version === now.visible.get(documentId);
    })
  );
}

/** Raise it when the shape or the meaning of what is kept changes. */
const SHAPE = 4;

const freshKey = (request: AnswerRequest, models: readonly string[], fingerprint: string) =>
  keyOf(request, models, fingerprint);
const lastKey = (request: AnswerRequest, models: readonly string[]) => keyOf(request, models, null);

function keyOf(request: AnswerRequest, models: readonly string[], fingerprint: string | null): string {
  const { reader, question, documentIds, collection, tags, rules } = request;
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
    rules?.answerThreshold ?? null,
    rules?.allowedModels ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

const OFFSET = z.int().min(0);
const PAGE = z.int().nullable();
const TIME = { startMs: z.int().nullish(), endMs: z.int().nullish() };
const BOX = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

const CITATION = z.object({
  marker: z.int().min(1),
  documentId: z.string(),
  documentTitle: z.string(),
  passageId: z.string(),
  page: PAGE,
  box: BOX.nullable(),
  ...TIME,
  quote: z.string(),
  sourceStart: OFFSET,
  sourceEnd: OFFSET,
  answerStart: OFFSET,
  answerEnd: OFFSET,
});

// Loose: what is added to an answer is kept without a word here, unless it must be there.
const ANSWER = z.looseObject({
  text: z.string(),
  notInDocuments: z.boolean(),
  grounding: z.number(),
  citations: z.array(CITATION),
  servedBy: z.string(),
  serviceLevel: z.enum(['full', 'degraded', 'minimal', 'unavailable']),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }).nullable(),
  timings: z.object({ retrieveMs: z.number(), generateMs: z.number(), totalMs: z.number() }),
  pendingDocumentIds: z.array(z.string()),
  // Only answers at which nothing was lacking are kept.
  degradations: z.array(z.never()),
  isTruncated: z.boolean().optional(),
});

const SEARCH_RESULT = z.object({
  passageId: z.string(),
  documentId: z.string(),
  documentTitle: z.string(),
  headingPath: z.array(z.string()),
  page: PAGE,
  ...TIME,
});

const KEPT_ANSWER: z.ZodType<KeptAnswer> = z.object({
  answer: ANSWER,
  results: z.array(SEARCH_RESULT),
  fingerprint: z.string(),
  cited: z.array(z.object({ documentId: z.string(), version: z.int() })),
  asOf: z.iso.datetime(),
});
