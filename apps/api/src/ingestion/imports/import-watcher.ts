import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Principal } from '#libs/auth';
import { problemOf } from '#libs/errors';
import { type EventStream, openEventStream } from '#libs/http';
import { IngestionNotifications } from '../jobs/notifications.js';
import { ImportNotFound } from './import.errors.js';
import { importEvents, type ImportView } from './import-progress.js';
import { ImportsService } from './imports.service.js';

/** Documents tell their own watchers how they get on, so a watcher of an import looks by himself this often. */
const LOOK_EVERY_MS = 1_000;
/** Many files that come in quickly are told of together. */
const LEAST_PAUSE_MS = 250;

/** Tells one client about one import until it has ended or is gone. */
@Injectable()
export class ImportWatcher {
  constructor(
    private readonly imports: ImportsService,
    private readonly notifications: IngestionNotifications,
  ) {}

  /** @throws ImportNotFound before the stream is opened; afterwards everything is said in the stream */
  async watch(principal: Principal, id: string, reply: FastifyReply): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    let known = await this.imports.view(principal, id);
    const stream = openEventStream(reply, { endsOnShutdown: true });
    const tell = numbered(stream);
    await tell(undefined, known);
    while (!stream.closed && !isFinal(known)) {
      // Listening begins before looking, so that nothing can happen in between.
      const changed = this.notifications.documentChanged(id, LOOK_EVERY_MS, gone.signal);
      const now = await this.look(principal, id, stream);
      if (now) {
        await tell(known, now);
        known = now;
      }
      if (stream.closed || isFinal(known)) break;
      await changed;
      await delay(LEAST_PAUSE_MS, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    gone.abort();
    stream.end();
  }

  /** Each look is a new request for the import: who may not see it any more is told that it is gone. */
  private async look(principal: Principal, id: string, stream: EventStream): Promise<ImportView | undefined> {
    try {
      return await this.imports.view(principal, id);
    } catch (error) {
      if (!(error instanceof ImportNotFound)) return undefined; // The database is away; the next look may succeed.
      await stream.send('error', problemOf(error));
      stream.end();
      return undefined;
    }
  }
}

function isFinal({ body }: ImportView): boolean {
  return body.finished_at !== null;
}

function numbered(stream: EventStream) {
  let id = 0;
  return async (before: ImportView | undefined, now: ImportView) => {
    for (const { event, data } of importEvents(before, now)) await stream.send(event, data, (id += 1));
  };
}
