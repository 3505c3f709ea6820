import type { TenantDb } from '#libs/database';
import { counter, histogram } from '#libs/observability';
import { type CapabilityLevel, type Degradation, DegradationManager } from '#libs/resilience';
import type { Bm25Scores } from '../passages/lexical/bm25.js';
import type { LexicalIndex } from '../passages/lexical/lexical.index.js';
import type { Passage } from '../passages/passage.js';
import type { OfDocument, PassageStore } from '../passages/passage.store.js';
import { keyOfPlace, type PassagePlace, type Queryable, type SearchScope } from '../passages/search-scope.js';
import type { SimilarPassage, VectorIndex } from '../passages/vectors/vector-index.js';
import { type Candidate, fuse, type Scores } from './fusion.js';
import { type EmbeddedQuestion, ModelSearch, type SemanticFailure } from './model-search.js';
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
  /** Why meaning was not compared although it was asked for, or not with all documents. */
  reason?: SemanticFailure;
  /** The same, as the answer tells it. */
  degradation?: Degradation;
  /** Milliseconds. Words are looked up while the question is embedded and what is similar is looked for. */
  timings: { lexicalMs: number; embedMs: number; semanticMs: number; totalMs: number };
}

/** The model that some documents are still embedded by, with where its vectors are. */
export interface PreviousModel {
  embedder: QueryEmbedder;
  vectors: VectorIndex;
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
 * alone and says so; only a database that cannot be reached makes it fail. While documents are embedded anew, those that
 * the model before has embedded are found by that one.
 */
export class Retriever {
  private readonly current: ModelSearch;
  private readonly previous?: ModelSearch;

  constructor(
    private readonly db: Pick<TenantDb, 'read'>,
    private readonly passages: PassageStore,
    private readonly lexical: LexicalIndex,
    vectors: VectorIndex,
    embedder: QueryEmbedder,
    private readonly config: RetrievalConfig,
    private readonly capabilities: { lexical: CapabilityLevel; semantic: CapabilityLevel } = {
      lexical: new DegradationManager('retrieve.lexical'),
      semantic: new DegradationManager('retrieve.semantic'),
    },
    previous?: PreviousModel,
  ) {
    const { embedTimeoutMs } = config;
    this.current = new ModelSearch(embedder, vectors, embedTimeoutMs);
    if (previous)
      this.previous = new ModelSearch(
        previous.embedder,
        previous.vectors,
        embedTimeoutMs,
        'previous-embedder',
      );
  }

  /** @throws DependencyUnavailable without a database, and the signal's reason */
  async retrieve(request: RetrievalRequest, signal: AbortSignal): Promise<Retrieval> {
    const total = stopwatch();
    const embedding = this.embed(request, signal);
    let found = await this.find(request, embedding, signal);
    // What was found of a document that was made anew meanwhile is of no use; all of it is looked for again.
    for (let again = 0; found.isOutdated && again < MOST_REPEATS; again += 1)
      found = await this.find(request, embedding, signal);
    const { hits, words, questions, mergeMs } = found;
    const longest = (of: (question: SearchedQuestion) => number) => Math.max(0, ...questions.map(of));
    const timings = {
      lexicalMs: words.ms,
      embedMs: longest(({ ms }) => ms),
      semanticMs: longest(({ searchMs }) => searchMs) + mergeMs,
      totalMs: total(),
    };
    const mode = questions.some(({ vector }) => vector) ? 'hybrid' : 'lexical';
    const reason = questions.find(({ failure }) => failure)?.failure;
    observe(timings, mode, reason);
    return { hits, mode, ...(reason && { reason }), degradation: this.note(mode, reason), timings };
  }

  private async find(request: RetrievalRequest, embedding: Promise<ModelsQuestion[]>, signal: AbortSignal) {
    const [words, questions] = await Promise.all([
      this.scoreWords(request, signal),
      embedding.then((all) => Promise.all(all.map((one) => this.searchSimilar(request, one, signal)))),
    ]);
    const merging = stopwatch();
    const merge = (tx: Queryable) => this.merge(tx, request, words.scores, questions);
    const merged = await this.db.read(request.reader.tenantId, merge, { signal });
    return { ...merged, words, questions, mergeMs: merging() };
  }

  private note(mode: Retrieval['mode'], reason?: string): Degradation | undefined {
    const { lexical, semantic } = this.capabilities;
    lexical.observe('full');
    return reason ? semantic.observe('degraded', reason, mode) : semantic.observe('full');
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

  /** By each model that has embedded some of the documents. */
  private async embed(request: RetrievalRequest, signal: AbortSignal): Promise<ModelsQuestion[]> {
    const { query, mode } = request;
    if (mode === 'lexical') return [];
    const by = async (model: ModelSearch) => ({ model, ...(await model.embed(query, signal)) });
    const ofPrevious = async ({ previous } = this) =>
      previous && (await this.isUsed(previous, request, signal)) ? [await by(previous)] : [];
    const [current, others] = await Promise.all([by(this.current), ofPrevious()]);
    return [current, ...others];
  }

  private isUsed({ model }: ModelSearch, request: RetrievalRequest, signal: AbortSignal): Promise<boolean> {
    const look = (tx: Queryable) => this.passages.hasVectorsOf(tx, request, model);
    return this.db.read(request.reader.tenantId, look, { signal });
  }

  /** The most similar passages: while the words are looked up, so that far from the database nobody waits for both. */
  private async searchSimilar(
    request: RetrievalRequest,
    question: ModelsQuestion,
    signal: AbortSignal,
  ): Promise<SearchedQuestion> {
    const { model, vector } = question;
    if (!vector) return { ...question, similar: [], searchMs: 0 };
    const time = stopwatch();
    const search = (tx: Queryable) => model.search(tx, request, vector, this.candidatesFor(request));
    const similar = await this.db.read(request.reader.tenantId, search, { signal });
    return { ...question, similar, searchMs: time() };
  }

  private candidatesFor({ limit }: RetrievalRequest): number {
    return Math.max(this.config.candidates, limit);
  }

  private async merge(
    tx: Queryable,
    request: RetrievalRequest,
    words: Bm25Scores,
    questions: readonly SearchedQuestion[],
  ): Promise<{ hits: RetrievedPassage[]; isOutdated: boolean }> {
    const found = new Map<string, Found>();
    for (const { score, ...place } of words.best(this.candidatesFor(request)))
      found.set(keyOfPlace(place), { ...place, lexical: score, similarity: null });
    for (const { model, similar } of questions)
      for (const { similarity, ...place } of similar)
        found.set(keyOfPlace(place), {
          ...{ ...place, similarity, model: model.model },
          lexical: words.scoreOf(place),
        });
    for (const question of questions) await this.compareOthers(tx, request, question, found);
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
    { model, vector }: ModelsQuestion,
    found: Map<string, Found>,
  ): Promise<void> {
    const others = [...found.values()].filter(({ similarity }) => similarity === null);
    if (others.length === 0 || !vector) return;
    for (const { similarity, ...place } of await model.compare(tx, scope, vector, others))
      Object.assign(found.get(keyOfPlace(place))!, { similarity, model: model.model });
  }
}

/** While documents are made anew one after the other, each question meets the switch of few of them. */
const MOST_REPEATS = 2;

type Found = PassagePlace & Candidate;

type ModelsQuestion = EmbeddedQuestion & { model: ModelSearch };

interface SearchedQuestion extends ModelsQuestion {
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
