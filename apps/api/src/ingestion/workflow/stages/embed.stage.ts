import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DependencyUnavailable } from '#libs/errors';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import {
  Embedder,
  EmbedderMisbehaved,
  ModelRejected,
  PassageStore,
  unembedded,
  type UnembeddedPassage,
} from '../../../rag/index.js';
import { DocumentStore } from '../../documents/document.store.js';
import { inParallel } from '../../extraction/in-parallel.js';
import { standsBeside } from '../../generations/beside.js';
import { GenerationStore } from '../../generations/generation.store.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import { notifyDocumentChanged } from '../../jobs/notifications.js';
import { VectorSanity } from '../gates/index.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/** Two seconds of work on one core: what a crash may cost, and how often progress is told. */
const BATCH = 16;
/** Passages that are looked up at a time. */
const LISTED = 256;
/** When more passages than this are refused, and few are taken, it is not about the passages. */
const MOST_REFUSED = 32;

/**
 * Gives every passage its vector, batch by batch, as many batches at a time as the embedder can do. A vector that is
 * stored is its own checkpoint, so after a crash only those that are missing are computed. When none is missing a document
 * that is found by its words is found by their meaning too; another generation waits for the switch. A passage that the
 * embedder refuses stays without a vector: it is found by its words alone, and the document says so.
 */
@Injectable()
export class EmbedStage implements StageWork {
  private readonly policy: Policy;

  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly documents: DocumentStore,
    private readonly passages: PassageStore,
    private readonly generations: GenerationStore,
    private readonly embedder: Embedder,
    policies: PolicyRegistry,
  ) {
    this.policy = policies.policy('embedder');
  }

  async run(task: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { job } = task;
    const [total, first] = await this.begin(task);
    const run: Run = { task, total, refused: [], sanity: new VectorSanity() };
    // The only batch of a small document is durable with the stage.
    const isSmall = first.length <= BATCH;
    const vectors = isSmall ? await this.embedEach(first, run, signal) : [];
    if (!isSmall) {
      const save = (batch: UnembeddedPassage[], either: AbortSignal) => this.embedAndSave(batch, run, either);
      await inParallel(this.batches(job, first), this.embedder.concurrency, save, signal);
    }
    if (run.refused.length === total) throw new EmbedderRefuses();
    task.isEmbedded = run.refused.length === 0 && first.length === total;
    return this.outcome(run, vectors);
  }

  private outcome({ task, total, refused, sanity }: Run, vectors: Embedded[]): StageOutcome {
    const { model } = this.embedder;
    const { documentId, generation } = task.job;
    const isBeside = standsBeside(task);
    return {
      detail: { passages: total, model, ...(refused.length > 0 && { passages_without_vector: refused }) },
      evidence: { passages: total, vectorsRefused: refused.length, ...sanity.evidence },
      ...(!isBeside && { document: { semantic: { generation, model } } }),
      commit: async (tx) => {
        const key = this.keyOf(task.job);
        if (task.justCut) await this.passages.insertVectors(tx, key, vectors);
        else if (vectors.length > 0) await this.passages.saveVectors(tx, key, vectors);
        if (isBeside) await this.generations.saveModel(tx, documentId, generation, model);
      },
    };
  }

  /** How many passages there are, and the first of those without a vector. */
  private async begin(task: Task): Promise<[number, UnembeddedPassage[]]> {
    const { job, justCut } = task;
    if (justCut) return [justCut.passages.length, justCut.passages.map(unembedded)];
    return this.jobs.read(job, (tx) =>
      Promise.all([this.countPassages(tx, task), this.passages.listUnembedded(tx, this.keyOf(job), LISTED)]),
    );
  }

  /** Passages without a vector, as many at a time as are embedded together. */
  private async *batches(
    job: ClaimedJob,
    first: UnembeddedPassage[],
  ): AsyncGenerator<UnembeddedPassage[], void> {
    for (let listed = first; listed.length > 0;) {
      for (let at = 0; at < listed.length; at += BATCH) yield listed.slice(at, at + BATCH);
      const { ordinal } = listed.at(-1)!;
      listed = await this.jobs.read(job, (tx) =>
        this.passages.listUnembedded(tx, this.keyOf(job), LISTED, ordinal),
      );
    }
  }

  private async embedAndSave(
    batch: readonly UnembeddedPassage[],
    run: Run,
    signal: AbortSignal,
  ): Promise<void> {
    const { job } = run.task;
    const vectors = await this.embedEach(batch, run, signal);
    await this.jobs.fenced(job, async (tx) => {
      await Promise.all([
        this.passages.saveVectors(tx, this.keyOf(job), vectors),
        this.jobs.noteProgress(tx, job),
        this.stages.addProgress(tx, job.documentId, 'embed', batch.length / run.total),
        notifyDocumentChanged(tx, job.documentId),
      ]);
    });
    run.task.alive();
  }

  /**
   * The vectors of those that the embedder takes; the others are noted. Halves what is refused until it is one passage:
   * for one of n that is 2 log2 n further calls.
   */
  private async embedEach(
    batch: readonly UnembeddedPassage[],
    run: Run,
    signal: AbortSignal,
  ): Promise<Embedded[]> {
    if (batch.length === 0) return [];
    try {
      const texts = batch.map(({ text }) => text);
      const vectors = await this.policy.execute((attempt) => this.embedder.embed(texts, attempt), {
        signal,
        operation: 'embed-passages',
        idempotent: true,
      });
      run.sanity.add(vectors);
      return batch.map(({ ordinal }, i) => ({ ordinal, vector: vectors[i]! }));
    } catch (error) {
      if (!(error instanceof ModelRejected)) throw reasonFor(error);
      if (batch.length === 1) {
        run.refused.push(batch[0]!.id);
        if (run.refused.length > Math.max(MOST_REFUSED, run.total / 2)) throw new EmbedderRefuses();
        return [];
      }
      const half = Math.ceil(batch.length / 2);
      const first = await this.embedEach(batch.slice(0, half), run, signal);
      return [...first, ...(await this.embedEach(batch.slice(half), run, signal))];
    }
  }

  private keyOf({ tenantId, documentId, generation }: ClaimedJob) {
    return { tenantId, documentId, generation, model: this.embedder.model };
  }

  /** Since the stage before this one. */
  private async countPassages(tx: EntityManager, task: Task): Promise<number> {
    const { documentId, generation } = task.job;
    const made = standsBeside(task)
      ? await this.generations.find(tx, documentId, generation)
      : await this.documents.find(tx, documentId);
    return made?.passageCount ?? 0;
  }
}

interface Embedded {
  ordinal: number;
  vector: Float32Array;
}

/** The embedding of one document. */
interface Run {
  task: Task;
  total: number;
  /** Ids of passages that the embedder does not take. */
  refused: string[];
  sanity: VectorSanity;
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
