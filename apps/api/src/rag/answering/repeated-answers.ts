import { BoundedMap } from '#libs/cache';
import type { Served } from '#libs/resilience';
import type { Answer, AnswerRequest, SearchResult } from './answer.js';
import type { AnswerCache, KeptAnswer } from './answer-cache.js';
import { timingsOf } from './asked.js';

/** An answer that was given before, from documents that had this fingerprint. */
export interface RepeatedAnswer {
  answer: Answer;
  results: SearchResult[];
  fingerprint: string;
}

/** The step of the ladder that gives what was given before. */
export const CACHE = 'cache';
/** Of readers with what they ask; one with long lists of documents takes 2 kB. */
const MOST_KEPT = 2_000;

/**
 * Finds answers that were given before without a look at the documents, by the fingerprint that they had when this
 * process last looked. It may have changed since: nothing is shown that the database has not confirmed.
 */
export class RepeatedAnswers {
  private readonly expected = new BoundedMap<string, string>(MOST_KEPT);

  constructor(private readonly cache: Pick<AnswerCache, 'findFresh'>) {}

  /** From now on the documents that this request asks are taken to have this fingerprint. */
  expect(request: AnswerRequest, fingerprint: string): void {
    this.expected.set(keyOf(request), fingerprint);
  }

  async find(request: AnswerRequest): Promise<RepeatedAnswer | undefined> {
    const startedAt = performance.now();
    const fingerprint = this.expected.get(keyOf(request));
    if (fingerprint === undefined) return undefined;
    const kept = await this.cache.findFresh(request, fingerprint);
    if (!kept) return undefined;
    const answer = again(kept, { servedBy: CACHE, level: 'full', degradations: [] }, timingsOf(startedAt));
    return { answer, results: kept.results, fingerprint };
  }
}

/** An answer that was given before. Only the one that nothing better could be had than says how old it is. */
export function again(
  { answer, asOf }: KeptAnswer,
  { servedBy, level, degradations }: Omit<Served<unknown>, 'value'>,
  timings: Answer['timings'],
): Answer {
  return {
    ...answer,
    servedBy,
    serviceLevel: level,
    degradations,
    ...(level === 'full' ? {} : { asOf }),
    usage: null,
    timings,
  };
}

const keyOf = ({ reader, documentIds, collection, tags }: AnswerRequest) =>
  JSON.stringify([reader.tenantId, reader.userId, documentIds, collection, tags]);
