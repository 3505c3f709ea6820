import type { FastifyReply } from 'fastify';
import { DomainError, problemOf } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { leaveGate } from './admission/index.js';
import { openStreamsOf } from './open-streams.js';
import { currentRevalidation, type Revalidation } from './revalidation.js';

export interface EventStream {
  /** Resolves when the client can take more, so that a slow reader slows its writer down. */
  send(event: string, data: unknown, id?: string | number): Promise<void>;
  end(): void;
  /** True once the client has gone or `end` was called. */
  readonly closed: boolean;
}

const HEARTBEAT_MS = 15_000;
/** So much may wait for a slow reader; then its writer waits too. */
const BUFFERED_BYTES = 262_144;
/** A reader that takes nothing for this long is gone, whatever its socket says. */
const STALLED_MS = 30_000;
/** How long somebody may go on waiting for events whose credential or permission was withdrawn. */
const REVALIDATE_EVERY_MS = 5_000;

/** Streams that wait for events that may be long in coming; an answer that is being written is not among them. */
const endedOnShutdown = new Set<EventStream>();

/** Ends the streams that would otherwise hold up the end of the process; their clients connect again elsewhere. */
export async function endWaitingStreams(): Promise<void> {
  for (const stream of [...endedOnShutdown]) {
    await stream.send('error', { code: 'shutting-down', retryable: true });
    stream.end();
  }
}

/**
 * Answers a request with server-sent events. A comment every 15 s keeps intermediaries from closing the connection. One
 * that waits for events (`endsOnShutdown`) ends with an event `error` once its caller may not be here any more.
 *
 * @throws TooManyStreams before anything is sent
 */
export function openEventStream(
  reply: FastifyReply,
  { endsOnShutdown = false }: { endsOnShutdown?: boolean } = {},
): EventStream {
  const { raw } = reply;
  const { tenantId = '' } = currentContext() ?? {};
  const leave = openStreamsOf(reply)?.enter(tenantId, { isWatcher: endsOnShutdown });
  leaveGate();
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();

  const heartbeat = setInterval(() => raw.write(': heartbeat\n\n'), HEARTBEAT_MS).unref();
  const revalidate = endsOnShutdown ? currentRevalidation() : undefined;
  const revalidating =
    revalidate && setInterval(() => void endUnlessWelcome(stream, revalidate), REVALIDATE_EVERY_MS).unref();
  let closed = false;
  const close = () => {
    closed = true;
    clearInterval(heartbeat);
    clearInterval(revalidating);
    endedOnShutdown.delete(stream);
  };
  raw.once('close', () => {
    close();
    leave?.();
  });

  const stream: EventStream = {
    get closed() {
      return closed;
    },
    async send(event, data, id) {
      if (closed) return;
      const lines = [
        `event: ${event}`,
        ...(id === undefined ? [] : [`id: ${id}`]),
        `data: ${JSON.stringify(data)}`,
      ];
      const isTaken = raw.write(`${lines.join('\n')}\n\n`);
      if (!isTaken && raw.writableLength > BUFFERED_BYTES) await drained(raw);
    },
    end() {
      if (closed) return;
      close();
      raw.end();
    },
  };
  if (endsOnShutdown) endedOnShutdown.add(stream);
  return stream;
}

/** That nobody can say at the moment is no reason to send him away. */
async function endUnlessWelcome(stream: EventStream, revalidate: Revalidation): Promise<void> {
  try {
    await revalidate();
  } catch (error) {
    if (!(error instanceof DomainError) || !['unauthenticated', 'forbidden'].includes(error.kind)) return;
    await stream.send('error', problemOf(error));
    stream.end();
  }
}

function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(stalled);
      raw.off('drain', done).off('close', done);
      resolve();
    };
    const stalled = setTimeout(() => raw.destroy(), STALLED_MS).unref();
    raw.on('drain', done).on('close', done);
  });
}
