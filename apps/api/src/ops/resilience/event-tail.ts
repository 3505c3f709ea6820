import type { FastifyReply } from 'fastify';
import { openEventStream } from '#libs/http';
import type { PolicyEvents } from '#libs/resilience';
import { toEventBody } from './resilience.dto.js';

const BATCH = 100;

/**
 * Sends what happened after the event `after`, then what happens, until the client leaves. It reads the history at the
 * reader's pace: one that is slower than events come misses those that the history no longer holds, and no more.
 */
export async function tailEvents(
  reply: FastifyReply,
  events: PolicyEvents,
  policy: string | undefined,
  after: number,
): Promise<void> {
  const stream = openEventStream(reply, { endsOnShutdown: true });
  let news = Promise.withResolvers<void>();
  const unsubscribe = events.subscribe(() => news.resolve());
  const left = new Promise<void>((resolve) => reply.raw.once('close', resolve));
  try {
    let last = after;
    while (!stream.closed) {
      news = Promise.withResolvers();
      const batch = events.list(policy, last, BATCH);
      for (const event of batch) {
        await stream.send('policy', toEventBody(event), event.id);
        last = event.id;
      }
      if (batch.length === 0) await Promise.race([news.promise, left]);
    }
  } finally {
    unsubscribe();
    stream.end();
  }
}

/** Ids count from the start of the process: one that was not given out yet is from another, and says nothing. */
export function positionIn(lastEventId: string | undefined, events: PolicyEvents): number {
  const position = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0;
  return position > newestOf(events) ? 0 : position;
}

function newestOf(events: PolicyEvents): number {
  return events.list(undefined, 0, Infinity).at(-1)?.id ?? 0;
}
