import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import { Embedder, PassageStore } from '../../../rag/index.js';
import { DocumentStore } from '../../documents/document.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { notifyDocumentChanged } from '../../jobs/notifications.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/** Two seconds of work on one core: what a crash may cost, and how often progress is told. */
const BATCH = 16;

/**
 * Gives every passage its vector, batch by batch. A vector that is stored is its own checkpoint, so after a crash
 * only those that are missing are computed; the switch comes when none is missing.
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
    for (;;) {
      signal.throwIfAborted();
      const batch = await this.jobs.fenced(job, (tx) => this.passages.listUnembedded(tx, key, BATCH));
      if (batch.length === 0) break;
      const texts = batch.map((passage) => passage.text);
      const vectors = await this.policy.execute((attempt) => this.embedder.embed(texts, attempt), {
        signal,
        operation: 'embed',
        idempotent: true,
      });
      await this.jobs.fenced(job, async (tx) => {
        const saved = batch.map(({ id }, i) => ({ passageId: id, vector: vectors[i]! }));
        await this.passages.saveVectors(tx, key, saved);
        await this.jobs.noteProgress(tx, job);
        await this.stages.addProgress(tx, documentId, 'embed', batch.length / total);
        await notifyDocumentChanged(tx, documentId);
      });
    }
    return {
      detail: { passages: total, model },
      commit: (tx) => this.documents.publishSemantic(tx, documentId, generation),
    };
  }

  /** Since the stage before this one. */
  private async countPassages(tx: EntityManager, documentId: string): Promise<number> {
    return (await this.documents.find(tx, documentId))?.passageCount ?? 0;
  }
}
