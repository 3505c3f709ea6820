import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DependencyUnavailable } from '#libs/errors';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import {
  Embedder,
  EmbedderMisbehaved,
  ModelRejected,
  PassageStore,
  type UnembeddedPassage,
} from '../../../rag/index.js';
import { DocumentStore } from '../../documents/document.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { notifyDocumentChanged } from '../../jobs/notifications.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/** Two seconds of work on one core: what a crash may cost, and how often progress is told. */
const BATCH = 16;
/** When more passages than this are refused, and few are taken, it is not about the passages. */
const MOST_REFUSED = 32;

/**
 * Gives every passage its vector, batch by batch. A vector that is stored is its own checkpoint, so after a crash
 * only those that are missing are computed; the switch comes when none is missing. A passage that the embedder refuses
 * stays without a vector: the others are found by their meaning, it by its words, and the document says so.
 */
@Injectable()
export class EmbedStage implements StageWork {
  private readonly policy: Policy;

  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly passages: PassageStore,
    private readonly embedder: Embedder,
    policies: PolicyRegistry,
  ) {
    this.policy = policies.policy('embedder');
  }

  async run({ job }: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { tenantId, documentId, generation } = job;
    const { model } = this.embedder;
    const key = { tenantId, documentId, generation, model };
    const total = await this.jobs.fenced(job, (tx) => this.countPassages(tx, documentId));
    const refused: string[] = [];
    for (;;) {
      signal.throwIfAborted();
      const batch = await this.jobs.fenced(job, (tx) =>
        this.passages.listUnembedded(tx, key, BATCH, refused),
      );
      if (batch.length === 0) break;
      const vectors = await this.embedEach(batch, refused, signal);
      if (refused.length > Math.max(MOST_REFUSED, total / 2)) throw new EmbedderRefuses();
      await this.jobs.fenced(job, async (tx) => {
        await this.passages.saveVectors(tx, key, vectors);
        await this.jobs.noteProgress(tx, job);
        await this.stages.addProgress(tx, documentId, 'embed', batch.length / total);
        await notifyDocumentChanged(tx, documentId);
      });
    }
    if (refused.length === total) throw new EmbedderRefuses();
    return {
      detail: { passages: total, model, ...(refused.length > 0 && { passages_without_vector: refused }) },
      commit: (tx) => this.documents.publishSemantic(tx, documentId, generation),
    };
  }

  /**
   * The vectors of those that the embedder takes; the others are added to `refused`. Halves what is refused until it is
   * one passage: for one of n that is 2 log2 n further calls.
   */
  private async embedEach(
    batch: readonly UnembeddedPassage[],
    refused: string[],
    signal: AbortSignal,
  ): Promise<{ passageId: string; vector: Float32Array }[]> {
    try {
      const texts = batch.map(({ text }) => text);
      const vectors = await this.policy.execute((attempt) => this.embedder.embed(texts, attempt), {
        signal,
        operation: 'embed-passages',
        idempotent: true,
      });
      return batch.map(({ id }, i) => ({ passageId: id, vector: vectors[i]! }));
    } catch (error) {
      if (!(error instanceof ModelRejected)) throw reasonFor(error);
      if (batch.length === 1) {
        refused.push(batch[0]!.id);
        return [];
      }
      const half = Math.ceil(batch.length / 2);
      const first = await this.embedEach(batch.slice(0, half), refused, signal);
      return [...first, ...(await this.embedEach(batch.slice(half), refused, signal))];
    }
  }

  /** Since the stage before this one. */
  private async countPassages(tx: EntityManager, documentId: string): Promise<number> {
    return (await this.documents.find(tx, documentId))?.passageCount ?? 0;
  }
}

/** Why the job waits: that the embedder works and is of no use is more than that it does not work. */
function reasonFor(error: unknown): unknown {
  const isUseless = error instanceof DependencyUnavailable && error.cause instanceof EmbedderMisbehaved;
  return isUseless ? new EmbedderUseless(error) : error;
}

class EmbedderUseless extends DependencyUnavailable {
  override readonly code = 'embedder-misbehaved';
  constructor(cause: DependencyUnavailable) {
    super(cause.dependency, { cause, retryAfterMs: cause.retryAfterMs });
  }
}

/** Trying again would not help, and what was stored is found by its words. */
class EmbedderRefuses extends DocumentRejected {
  constructor() {
    super(
      'embedding-refused',
      'The embedding model refuses the text of this document, so it is found by its words only.',
    );
  }
}
