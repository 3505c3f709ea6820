import { Logger } from '@nestjs/common';
import type { TenantDb } from '#libs/database';
import { DependencyTimeout } from '#libs/errors';
import { counter, histogram } from '#libs/observability';
import { type CapabilityLevel, type Degradation, DegradationManager } from '#libs/resilience';
import type { Bm25Scores } from '../passages/lexical/bm25.js';
import type { LexicalIndex } from '../passages/lexical/lexical.index.js';
import type { Passage } from '../passages/passage.js';
import type { OfDocument, PassageStore } from '../passages/passage.store.js';
import { keyOfPlace, type PassagePlace, type Queryable, type SearchScope } from '../passages/search-scope.js';
import type { SimilarPassage, VectorIndex } from '../passages/vectors/vector-index.js';
import { type Candidate, fuse, type Scores } from './fusion.js';
import type { QueryEmbedder } from './query-embedder.js';
import type { RetrievalConfig } from './retrieval.config.js';

export interface RetrievalRequest extends SearchScope {
  query: string;
  /** Passages wanted at most. */
  limit: number;
  /** `lexical` leaves the embedder out. */
  mode?: 'hybrid' | 'lexical';
}

export type RetrievedPassage = Passage & Scores & OfDocument;

export interface Retrieval {
  /** The best first. */
  hits: RetrievedPassage[];
  /** `lexical` when only words were compared. */
  mode: 'hybrid' | 'lexical';
  /** Why it was `lexical` although it was not asked for. */
  reason?: 'embedder-timeout' | 'embedder-unavailable';
  /** The same, as the answer tells it. */
  degradation?: Degradation;
  /** Milliseconds. Words are looked up while the question is embedded and what is similar is looked for. */
  timings: { lexicalMs: number; embedMs: number; semanticMs: number; totalMs: number };
}

const searches = counter({
  name: 'navigator_retrievals_total',
  help: 'Searches for passages by mode and, when the mode is a fallback, its reason',
  labelNames: ['mode', 'reason'],
});
const durations = histogram({
  name: 'navigator_retrieval_seconds',
  help: 'Time that the parts of a search for passages take',
  labelNames: ['part'],
});

/**
 * Finds passages by their words and their meaning. When the question cannot be embedded in time it goes by the words
 * alone and says so; only a database that cannot be reached makes it fail.
 */
export class Retriever {
  private readonly logger = new Logger(Retriever.name);

  constructor(
    private readonly db: Pick<TenantDb, 'read'>,
    private readonly passages: PassageStore,
    private readonly lexical: LexicalIndex,
    private readonly vectors: VectorIndex,
    private readonly embedder: QueryEmbedder,
    private readonly config: RetrievalConfig,
    private readonly capabilities: { lexical: CapabilityLevel; semantic: CapabilityLevel } = {
      lexical: new DegradationManager('retrieve.lexical'),
      semantic: new DegradationManager('retrieve.semantic'),
    },
  ) {}

  /** @throws DependencyUnavailable without a database, and the signal's reason */
  async retrieve(request: RetrievalRequest, signal: AbortSignal): Promise<Retrieval> {
    const total = stopwatch();
    const embedding = this.embed(request, signal);
    let found = await this.find(request, embedding, signal);
    // What was found of a document that was made anew meanwhile is of no use; all of it is looked for again.
    for (let again = 0; found.isOutdated && again < MOST_REPEATS; again += 1)
      found = await this.find(request, embedding, signal);
    const { hits, words, question, mergeMs } = found;
    const timings = {
      lexicalMs: words.ms,
      embedMs: question.ms,
      semanticMs: question.searchMs + mergeMs,
      totalMs: total(),
    };
    const { mode, reason } = question;
    observe(timings, mode, reason);
    return { hits, mode, ...(reason && { reason }), degradation: this.note(reason), timings };
  }

  private async find(request: RetrievalRequest, embedding: Promise<EmbeddedQuestion>, signal: AbortSignal) {
    const [words, question] = await Promise.all([
      this.scoreWords(request, signal),
      embedding.then((embedded) => this.searchSimilar(request, embedded, signal)),
    ]);
    const merging = stopwatch();
    const merge = (tx: Queryable) => this.merge(tx, request, words.scores, question);
    const merged = await this.db.read(request.reader.tenantId, merge, { signal });
    return { ...merged, words, question, mergeMs: merging() };
  }

  private note(reason?: string): Degradation | undefined {
    const { lexical, semantic } = this.capabilities;
    lexical.observe('full');
    return reason ? semantic.observe('degraded', reason, 'lexical') : semantic.observe('full');
  }

  private async scoreWords(request: RetrievalRequest, signal: AbortSignal) {
    const time = stopwatch();
    const scores = await this.db.read(
      request.reader.tenantId,
      (tx) => this.lexical.search(tx, request, request.query, this.config.bm25K1),
      { signal },
    );
    return { scores, ms: time() };
  }

  private async embed({ query, mode }: RetrievalRequest, signal: AbortSignal): Promise<EmbeddedQuestion> {
    if (mode === 'lexical') return { mode, ms: 0 };
    const time = stopwatch();
    const limit = AbortSignal.timeout(this.config.embedTimeoutMs);
    try {
      const vector = await this.embedder.embed(query, AbortSignal.any([signal, limit]));
      return { mode: 'hybrid', vector, ms: time() };
    } catch (error) {
      signal.throwIfAborted();
      const late = limit.aborted || error instanceof DependencyTimeout;
      this.logger.warn({ reason: (error as Error).name, late }, 'a question could not be embedded');
      return { mode: 'lexical', reason: late ? 'embedder-timeout' : 'embedder-unavailable', ms: time() };
    }
  }

  /** The most similar passages: while the words are looked up, so that far from the database nobody waits for both. */
  private async searchSimilar(
    request: RetrievalRequest,
    embedded: EmbeddedQuestion,
    signal: AbortSignal,
  ): Promise<SearchedQuestion> {
    const { vector } = embedded;
    if (!vector) return { ...embedded, similar: [], searchMs: 0 };
    const time = stopwatch();
    const wanted = { model: this.embedder.model, vector, limit: this.candidatesFor(request) };
    const search = (tx: Queryable) => this.vectors.search(tx, request, wanted);
    const similar = await this.db.read(request.reader.tenantId, search, { signal });
    return { ...embedded, similar, searchMs: time() };
  }

  private candidatesFor({ limit }: RetrievalRequest): number {
    return Math.max(this.config.candidates, limit);
  }

  private async merge(
    tx: Queryable,
    request: RetrievalRequest,
    words: Bm25Scores,
    { vector, similar }: SearchedQuestion,
  ): Promise<{ hits: RetrievedPassage[]; isOutdated: boolean }> {
    const found = new Map<string, Found>();
    for (const { score, ...place } of words.best(this.candidatesFor(request)))
      found.set(keyOfPlace(place), { ...place, lexical: score, similarity: null });
    for (const { similarity, ...place } of similar)
      found.set(keyOfPlace(place), { ...place, lexical: words.scoreOf(place), similarity });
    if (vector) await this.compareOthers(tx, request, vector, found);
    const ranked = fuse([...found.values()], this.config).slice(0, request.limit);
    const known = new Map(
      (await this.passages.listAt(tx, request, ranked)).map((row) => [keyOfPlace(row), row]),
    );
    const hits = ranked.flatMap(({ score, lexicalScore, semanticScore, ...place }) => {
      const passage = known.get(keyOfPlace(place));
      // A document that changed or went in between is left out.
      if (!passage) return [];
      const { generation: _, ...fields } = passage;
      return [{ ...fields, score, lexicalScore, semanticScore }];
    });
    return { hits, isOutdated: hits.length < ranked.length };
  }

  /** How similar those are that were found by their words alone. */
  private async compareOthers(
    tx: Queryable,
    scope: SearchScope,
    vector: Float32Array,
    found: Map<string, Found>,
  ): Promise<void> {
    const others = [...found.values()].filter(({ similarity }) => similarity === null);
    if (others.length === 0) return;
    const key = { model: this.embedder.model, vector };
    for (const { similarity, ...place } of await this.vectors.compare(tx, scope, key, others))
      found.get(keyOfPlace(place))!.similarity = similarity;
  }
}

/** While documents are made anew one after the other, each question meets the switch of few of them. */
const MOST_REPEATS = 2;

type Found = PassagePlace & Candidate;

interface EmbeddedQuestion extends Pick<Retrieval, 'mode' | 'reason'> {
  vector?: Float32Array;
  ms: number;
}

interface SearchedQuestion extends EmbeddedQuestion {
  similar: SimilarPassage[];
  searchMs: number;
}

function observe(
  { lexicalMs, embedMs, semanticMs, totalMs }: Retrieval['timings'],
  mode: string,
  reason = '',
) {
  searches.inc({ mode, reason });
  const parts = { lexical: lexicalMs, embed: embedMs, semantic: semanticMs, total: totalMs };
  for (const [part, ms] of Object.entries(parts)) durations.observe({ part }, ms / 1_000);
}

function stopwatch(): () => number {
  const start = performance.now();
  return () => performance.now() - start;
}
