import { isWorse, type Degradation, type ServiceLevel, ServiceLevelNotMet } from '#libs/resilience';
import type { Retrieval, RetrievedPassage } from '../retrieval/retriever.js';
import type { Answer, AnswerRequest, SearchResult } from './answer.js';
import type { Scope } from './scope.store.js';

/** What was found in the documents for a question. */
export interface Findings {
  hits: RetrievedPassage[];
  /** How well could be searched. */
  level: ServiceLevel;
  degradations: Degradation[];
}

type Search = (signal: AbortSignal) => Promise<Pick<Retrieval, 'hits' | 'mode' | 'degradation'>>;

/** A question on its way down the ladder, with what its steps found out: each thing is found out once. */
export class Asked {
  findings?: Findings;
  private readonly startedAt = performance.now();
  private retrievedAt?: number;
  private limit?: AbortSignal;
  private isTold = false;
  private searching?: Promise<Findings>;

  constructor(
    readonly request: AnswerRequest,
    /** The documents that are asked, or why that could not be found out. */
    readonly scope: Scope | { away: unknown },
    private readonly options: {
      search: Search;
      /** How many of the passages found, the best, a model reads and a reader is told of. */
      best: number;
      atLeast?: ServiceLevel;
    },
  ) {}

  get level(): ServiceLevel {
    return this.findings?.level ?? 'full';
  }

  /** Whether the reader would rather have no answer than a worse one. */
  get wantsLevel(): boolean {
    return this.options.atLeast !== undefined;
  }

  /** Where the answer is looked for, the first time that it is told. */
  *tell(results = this.results): Generator<{ type: 'search-results'; results: SearchResult[] }> {
    if (this.isTold) return;
    this.isTold = true;
    yield { type: 'search-results', results };
  }

  /** Of the documents that are asked; there is one when something could be found in them. */
  get fingerprint(): string {
    return 'away' in this.scope ? '' : this.scope.fingerprint;
  }

  get best(): RetrievedPassage[] {
    return this.findings?.hits.slice(0, this.options.best) ?? [];
  }

  get results(): SearchResult[] {
    return this.best.map(toSearchResult);
  }

  get timings(): Answer['timings'] {
    return timingsOf(this.startedAt, this.retrievedAt);
  }

  /** The time that all models together have; it begins with the first of them. */
  modelsLimit(ms: number): AbortSignal {
    return (this.limit ??= AbortSignal.timeout(ms));
  }

  /**
   * The passages that the question is about; looked for by the first who asks.
   *
   * @throws what keeps the documents out of reach, to everybody who asks; ServiceLevelNotMet
   */
  find(signal: AbortSignal): Promise<Findings> {
    return (this.searching ??= this.search(signal));
  }

  private async search(signal: AbortSignal): Promise<Findings> {
    if ('away' in this.scope) throw this.scope.away;
    const { hits, mode, degradation } = await this.options.search(signal);
    const level = mode === 'hybrid' && !degradation ? 'full' : 'degraded';
    const { atLeast = 'unavailable' } = this.options;
    // Before the reader is told anything, so that he is told this.
    if (isWorse(level, atLeast)) throw new ServiceLevelNotMet(atLeast, level);
    this.retrievedAt = performance.now();
    return (this.findings = { hits, level, degradations: degradation ? [degradation] : [] });
  }
}

/** Until now, in milliseconds. What was not looked for took all the time to be found. */
export function timingsOf(startedAt: number, retrievedAt?: number): Answer['timings'] {
  const now = performance.now();
  const between = (from: number, to: number) => Math.round((to - from) * 10) / 10;
  return {
    retrieveMs: between(startedAt, retrievedAt ?? now),
    generateMs: between(retrievedAt ?? now, now),
    totalMs: between(startedAt, now),
  };
}

function toSearchResult({
  id,
  documentId,
  documentTitle,
  headingPath,
  page,
  startMs = null,
  endMs = null,
}: RetrievedPassage): SearchResult {
  return { passageId: id, documentId, documentTitle, headingPath, page, startMs, endMs };
}
