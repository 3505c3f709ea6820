import { Logger } from '@nestjs/common';
import { DependencyTimeout } from '#libs/errors';
import type { PassagePlace, Queryable, SearchScope } from '../passages/search-scope.js';
import type { SimilarPassage, VectorIndex } from '../passages/vectors/vector-index.js';
import type { QueryEmbedder } from './query-embedder.js';

/** Why the meaning of a question was not compared, or only with the documents of one of two models. */
export const SEMANTIC_FAILURES = [
  'embedder-timeout',
  'embedder-unavailable',
  'previous-embedder-timeout',
  'previous-embedder-unavailable',
] as const;
export type SemanticFailure = (typeof SEMANTIC_FAILURES)[number];

export interface EmbeddedQuestion {
  /** Nothing when it could not be embedded in time; `failure` tells. */
  vector?: Float32Array;
  failure?: SemanticFailure;
  ms: number;
}

/** The meaning of passages as one model sees it. Vectors of different models are never compared. */
export class ModelSearch {
  private readonly logger = new Logger(ModelSearch.name);

  /** @param dependency begins the names of its failures */
  constructor(
    private readonly embedder: QueryEmbedder,
    private readonly vectors: VectorIndex,
    private readonly timeoutMs: number,
    private readonly dependency: 'embedder' | 'previous-embedder' = 'embedder',
  ) {}

  get model(): string {
    return this.embedder.model;
  }

  /** @throws the signal's reason, and nothing else */
  async embed(query: string, signal: AbortSignal): Promise<EmbeddedQuestion> {
    const startedMs = performance.now();
    const limit = AbortSignal.timeout(this.timeoutMs);
    try {
      const vector = await this.embedder.embed(query, AbortSignal.any([signal, limit]));
      return { vector, ms: performance.now() - startedMs };
    } catch (error) {
      signal.throwIfAborted();
      const isLate = limit.aborted || error instanceof DependencyTimeout;
      const failure: SemanticFailure = `${this.dependency}-${isLate ? 'timeout' : 'unavailable'}`;
      this.logger.warn({ reason: (error as Error).name, failure }, 'a question could not be embedded');
      return { failure, ms: performance.now() - startedMs };
    }
  }

  search(tx: Queryable, scope: SearchScope, vector: Float32Array, limit: number): Promise<SimilarPassage[]> {
    return this.vectors.search(tx, scope, { model: this.model, vector, limit });
  }

  /** Passages that the model has not embedded are left out. */
  compare(
    tx: Queryable,
    scope: SearchScope,
    vector: Float32Array,
    places: readonly PassagePlace[],
  ): Promise<SimilarPassage[]> {
    return this.vectors.compare(tx, scope, { model: this.model, vector }, places);
  }
}
