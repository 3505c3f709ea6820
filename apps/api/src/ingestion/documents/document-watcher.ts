import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { problemOf } from '#libs/errors';
import { type EventStream, openEventStream } from '#libs/http';
import { DocumentNotFound } from '../ingestion.errors.js';
import { IngestionNotifications } from '../jobs/notifications.js';
import { type Reader, RESTING_STATUSES } from './document.js';
import { type DocumentBody, toDocumentBody } from './document.dto.js';
import { progressEvents } from './document-progress.js';
import { DocumentsService } from './documents.service.js';

/** A watcher looks by himself this often, should a notification be lost. */
const LOOK_EVERY_MS = 2_000;

/** Tells one client about one document until it rests (ready, failed, cancelled, to be reviewed) or is gone. */
@Injectable()
export class DocumentWatcher {
  constructor(
    private readonly documents: DocumentsService,
    private readonly notifications: IngestionNotifications,
  ) {}

  /** @throws DocumentNotFound before the stream is opened; afterwards everything is said in the stream */
  async watch(reader: Reader, id: string, reply: FastifyReply): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    let known = toDocumentBody(await this.documents.get(reader, id));
    const stream = openEventStream(reply, { endsOnShutdown: true });
    const tell = numbered(stream);
    await tell(undefined, known);
    while (!stream.closed && !isFinal(known)) {
      // Listening begins before looking, so that nothing can happen in between.
      const changed = this.notifications.documentChanged(id, LOOK_EVERY_MS, gone.signal);
      const now = await this.look(reader, id, stream);
      if (now) {
        await tell(known, now);
        known = now;
      }
      if (!stream.closed && !isFinal(known)) await changed;
    }
    gone.abort();
    stream.end();
  }

  /** Each look is a new request for the document: who may not see it any more is told that it is gone. */
  private async look(reader: Reader, id: string, stream: EventStream): Promise<DocumentBody | undefined> {
    try {
      return toDocumentBody(await this.documents.get(reader, id));
    } catch (error) {
      if (!(error instanceof DocumentNotFound)) return undefined; // The database is away; the next look may succeed.
      await stream.send('error', problemOf(error));
      stream.end();
      return undefined;
    }
  }
}

function isFinal({ status }: DocumentBody): boolean {
  return RESTING_STATUSES.has(status);
}

function numbered(stream: EventStream) {
  let id = 0;
  return async (before: DocumentBody | undefined, now: DocumentBody) => {
    for (const { event, data } of progressEvents(before, now)) await stream.send(event, data, (id += 1));
  };
}
