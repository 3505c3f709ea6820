import { EventEmitter } from 'node:events';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { listen, type Listener } from '#libs/database';

/** One channel, so that a process needs one listening connection. Messages carry ids and nothing else. */
const CHANNEL = 'ingestion';
const QUEUED = 'queued';
const IMPORT_QUEUED = 'import queued';

/**
 * What other processes say about jobs and documents. A message may be lost, so it only ever wakes somebody who
 * would look by himself a little later.
 */
@Injectable()
export class IngestionNotifications implements OnModuleInit, OnModuleDestroy {
  private readonly messages = new EventEmitter().setMaxListeners(0);
  private listener: Listener | undefined;

  constructor(@Inject('APP_DATABASE_URL') private readonly url: string) {}

  onModuleInit(): void {
    this.listener = listen(this.url, CHANNEL, (payload) => this.messages.emit(eventOf(payload)));
  }

  async onModuleDestroy(): Promise<void> {
    await this.listener?.close();
  }

  /** Resolves when a job was queued, after `timeoutMs`, or when `signal` aborts; whichever comes first. */
  jobQueued(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.next(QUEUED, timeoutMs, signal);
  }

  /** Resolves when there is something to unpack or fetch, after `timeoutMs`, or when `signal` aborts. */
  importQueued(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.next(IMPORT_QUEUED, timeoutMs, signal);
  }

  /** Resolves when the document changed, after `timeoutMs`, or when `signal` aborts; whichever comes first. */
  documentChanged(documentId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.next(documentId, timeoutMs, signal);
  }

  /** Resolves when the job was taken away from its worker, after `timeoutMs`, or when `signal` aborts. */
  jobRevoked(documentId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.next(revoked(documentId), timeoutMs, signal);
  }

  private next(payload: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.messages.off(eventOf(payload), wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      this.messages.once(eventOf(payload), wake);
    });
  }
}

/** Sent when the transaction commits. */
export async function notifyJobQueued(tx: EntityManager): Promise<void> {
  await tx.query(`select pg_notify($1, $2)`, [CHANNEL, QUEUED]);
}

/** Sent when the transaction commits. */
export async function notifyImportQueued(tx: EntityManager): Promise<void> {
  await tx.query(`select pg_notify($1, $2)`, [CHANNEL, IMPORT_QUEUED]);
}

/** Sent when the transaction commits. Of an import, its id is told in the same way. */
export async function notifyDocumentChanged(tx: EntityManager, ...documentIds: string[]): Promise<void> {
  await tx.query(`select pg_notify($1, id) from unnest($2::text[]) as changed (id)`, [CHANNEL, documentIds]);
}

/** Sent when the transaction commits, to the worker that holds the job: it looks at once whether it still does. */
export async function notifyJobRevoked(tx: EntityManager, documentId: string): Promise<void> {
  await tx.query(`select pg_notify($1, $2)`, [CHANNEL, revoked(documentId)]);
}

const revoked = (documentId: string) => `revoked ${documentId}`;

/** An event of its own for each payload; an emitter treats the bare name `error` differently. */
function eventOf(payload: string): string {
  return `payload ${payload}`;
}
