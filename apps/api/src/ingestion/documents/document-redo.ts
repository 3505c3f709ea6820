import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PartStore } from '../extraction/part.store.js';
import { GenerationStore } from '../generations/generation.store.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { DocumentPasswords } from '../passwords/document-passwords.js';
import { INGESTION_STAGES, STAGE_NAMES, type StageName } from '../workflow/ingestion-stages.js';
import { StageStore } from '../workflow/stage.store.js';
import type { Document } from './document.js';
import { DocumentStore } from './document.store.js';
import { planRedo, type RedoState } from './redo.js';

/** Doing documents again, and stopping that. The job of the document is locked, as its stages do. */
@Injectable()
export class DocumentRedo {
  constructor(
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly parts: PartStore,
    private readonly generations: GenerationStore,
    private readonly passwords: DocumentPasswords,
  ) {}

  /**
   * Takes back what these stages left, but nothing that questions find, or may find again. Returns the generation that
   * the job makes then.
   */
  async prepare(tx: EntityManager, document: Document, from: readonly StageName[]): Promise<number> {
    const { tenantId, id: documentId } = document;
    const state = await this.stateOf(tx, document);
    const { stages, newGeneration, copyOf } = planRedo(from, state);
    await this.stages.reset(tx, documentId, stages);
    if (stages.has('extract')) await this.parts.clear(tx, documentId);
    if (newGeneration) await this.jobs.beginGeneration(tx, documentId);
    else if (stages.has('structure'))
      await this.generations.discard(tx, { tenantId, documentId, generation: state.generation });
    const generation = await this.jobs.generation(tx, documentId);
    if (copyOf !== undefined) await this.copyInstead(tx, documentId, generation, copyOf);
    return generation;
  }

  /**
   * Stops the processing, wherever it is, and removes what was half made. What is answerable stays: a document that was
   * being made anew is ready again, as it was.
   */
  async cancel(tx: EntityManager, document: Document): Promise<void> {
    const { id } = document;
    const isStillWhole = await this.isMadeAnew(tx, document);
    await this.jobs.revoke(tx, id, 'cancelled');
    await this.stages.interrupt(tx, id);
    await this.prepare(tx, document, ['extract']);
    if (isStillWhole) await this.restore(tx, id);
    else await this.documents.setCancelled(tx, id);
    await notifyDocumentChanged(tx, id);
  }

  /** Whether all of a generation is found, whatever becomes of the one that the job makes. */
  async isMadeAnew(tx: EntityManager, document: Document): Promise<boolean> {
    const { id, liveGeneration, semanticGeneration, assessment } = document;
    const isWhole = liveGeneration !== null && semanticGeneration === liveGeneration && assessment !== null;
    return isWhole && liveGeneration !== (await this.jobs.generation(tx, id));
  }

  /** Whether what is wanted begins with reading a protected file again, while its password is not there. */
  async needsPassword(tx: EntityManager, document: Document, from: readonly StageName[]): Promise<boolean> {
    if (!document.assessment?.needsPassword) return false;
    const { stages } = planRedo(from, await this.stateOf(tx, document));
    return stages.has('extract') && !(await this.passwords.has(tx, document.id));
  }

  /** A copy needs nothing of the file, so the stages that read it are done, whatever became of them. */
  private async copyInstead(
    tx: EntityManager,
    documentId: string,
    generation: number,
    copyOf: number,
  ): Promise<void> {
    await this.setDone(tx, documentId, STAGE_NAMES.slice(0, STAGES_BEFORE_PASSAGES));
    await this.generations.beginCopy(tx, documentId, generation, copyOf);
  }

  /** Of the generation that is found nothing is left to do. */
  private async restore(tx: EntityManager, documentId: string): Promise<void> {
    await this.setDone(tx, documentId, STAGE_NAMES);
    await this.passwords.forget(tx, documentId);
    await this.documents.change(tx, documentId, { status: 'ready' });
  }

  private setDone(tx: EntityManager, documentId: string, names: readonly StageName[]): Promise<void> {
    return this.stages.advance(
      tx,
      documentId,
      names.map((name) => ({ name, done: { agoMs: 0 } })),
    );
  }

  private async stateOf(
    tx: EntityManager,
    { id, liveGeneration, semanticGeneration }: Document,
  ): Promise<RedoState> {
    const generation = await this.jobs.generation(tx, id);
    const hidden = await this.generations.find(tx, id, generation);
    const read = await this.parts.listDone(tx, { documentId: id, stage: 'extract' });
    return {
      generation,
      liveGeneration,
      semanticGeneration,
      ...(hidden && {
        hidden: hidden.expiresAt ? 'kept' : hidden.passageCount === null ? 'made' : 'has-passages',
      }),
      hasParts: read.length > 0,
    };
  }
}

const STAGES_BEFORE_PASSAGES = INGESTION_STAGES.findIndex(({ name }) => name === 'structure');
