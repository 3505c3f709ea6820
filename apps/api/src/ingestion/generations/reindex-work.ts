import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { type Document, RESTING_STATUSES } from '../documents/document.js';
import { DocumentRedo } from '../documents/document-redo.js';
import { DocumentStore } from '../documents/document.store.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { GenerationStore } from './generation.store.js';
import type { OpenItem } from './reindex.js';
import { ReindexQueue } from './reindex-queue.js';
import { reindexItems } from './reindexes.metrics.js';

/** What is done about one document of an order, each in a transaction of its own. Whoever repeats it changes nothing. */
@Injectable()
export class ReindexWork {
  constructor(
    private readonly db: TenantDb,
    private readonly queue: ReindexQueue,
    private readonly documents: DocumentStore,
    private readonly jobs: JobStore,
    private readonly redo: DocumentRedo,
    private readonly generations: GenerationStore,
  ) {}

  /** Queues the next document that waits, behind what people have just brought. False when there is none. */
  beginNext(tenantId: string): Promise<boolean> {
    return this.db.run(tenantId, async (tx) => {
      const item = await this.queue.takeWaiting(tx);
      if (!item) return false;
      const document = await this.lock(tx, item);
      const reason = await this.reasonToSkip(tx, document, item);
      if (reason) await this.settle(tx, item, 'skipped', reason);
      // One that was taken up just now is waited for.
      else if (RESTING_STATUSES.has(document!.status)) await this.begin(tx, item, document!);
      return true;
    });
  }

  /** Gives the next document back what it was before. False when there is none left to try. */
  rollBackNext(tenantId: string): Promise<boolean> {
    return this.db.run(tenantId, async (tx) => {
      const item = await this.queue.takeSwitched(tx);
      if (!item) return false;
      const document = await this.lock(tx, item);
      const reason = reasonToStay(document, item);
      const isBack = !reason && (await this.generations.rollBack(tx, item.documentId));
      if (isBack) await notifyDocumentChanged(tx, item.documentId);
      const state = isBack ? 'rolled_back' : 'switched';
      await this.settle(tx, item, state, isBack ? undefined : (reason ?? 'nothing-to-roll-back-to'));
      return true;
    });
  }

  /** Stops what was begun of an order that is cancelled. */
  cancel(tenantId: string, item: OpenItem): Promise<void> {
    return this.db.run(tenantId, async (tx) => {
      const document = await this.lock(tx, item);
      if (!document || !(await this.queue.isRunning(tx, item))) return;
      if (document.status === 'ready' || document.status === 'failed') return;
      if (document.status !== 'cancelled') await this.redo.cancel(tx, document);
      await this.settle(tx, item, 'cancelled', 'cancelled');
    });
  }

  /** Notes which documents have ended without a switch. */
  settleEnded(tenantId: string): Promise<void> {
    return this.db.run(tenantId, async (tx) => {
      for (const item of await this.queue.listEnded(tx)) {
        await this.lock(tx, item);
        if (await this.queue.isRunning(tx, item)) await this.settle(tx, item, item.state, item.reasonCode);
      }
    });
  }

  private async begin(tx: EntityManager, item: OpenItem, document: Document): Promise<void> {
    const { id, priority } = document;
    const generation = await this.redo.prepare(tx, document, [item.from]);
    await this.queue.begin(tx, item, { generation, priority });
    await this.jobs.setPriority(tx, id, 'low');
    await this.documents.setQueued(tx, id);
    await this.jobs.requeue(tx, id, item.correlationId ?? undefined);
    await notifyDocumentChanged(tx, id);
  }

  private async reasonToSkip(
    tx: EntityManager,
    document: Document | undefined,
    { from }: OpenItem,
  ): Promise<string | undefined> {
    if (!document) return 'document-deleted';
    // Its processing answers for itself, and makes it with what is configured now.
    if (document.liveGeneration === null) return 'not-answerable';
    if (document.status === 'needs_review') return 'needs-review';
    // Only a person has it, who can give it with a retry.
    if (await this.redo.needsPassword(tx, document, [from])) return 'password-needed';
    return undefined;
  }

  private async settle(
    tx: EntityManager,
    item: OpenItem,
    ...[state, reason]: [Parameters<ReindexQueue['settle']>[2], string | undefined]
  ): Promise<void> {
    await this.queue.settle(tx, item, state, reason);
    reindexItems.inc({ outcome: state, reason: reason ?? '' });
  }

  private async lock(tx: EntityManager, { documentId }: OpenItem): Promise<Document | undefined> {
    await this.jobs.lock(tx, documentId);
    return this.documents.find(tx, documentId);
  }
}

function reasonToStay(document: Document | undefined, { generation }: OpenItem): string | undefined {
  if (!document) return 'document-deleted';
  if (document.liveGeneration !== generation) return 'superseded';
  if (!RESTING_STATUSES.has(document.status)) return 'document-busy';
  return undefined;
}
