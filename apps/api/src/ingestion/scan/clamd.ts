import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { TransientFailure } from '#libs/errors';
import type { ClamdConfig } from './clamd.config.js';

/** What clamd says of a stream. */
export type Verdict = 'clean' | 'found' | 'too-large';

/** Speaks with clamd as its manual has it (`clamd(8)`, commands of the z form). A connection serves one command. */
export class Clamd {
  constructor(private readonly config: Pick<ClamdConfig, 'socket' | 'host' | 'port'>) {}

  /** @throws TransientFailure when it is away, or says anything else */
  async ping(signal: AbortSignal): Promise<void> {
    const answer = await this.command('PING', none(), signal);
    if (answer !== 'PONG') throw new TransientFailure('clamd did not answer a ping');
  }

  /** Sends the content through, whole. @throws TransientFailure when it is away, or cannot scan */
  async scan(content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Verdict> {
    const answer = await this.command('INSTREAM', framed(content), signal);
    if (/: OK$/.test(answer)) return 'clean';
    if (/ FOUND$/.test(answer)) return 'found';
    if (/size limit exceeded/i.test(answer)) return 'too-large';
    throw new TransientFailure('clamd could not scan a file');
  }

  private async command(name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
    const { socket: path, host, port } = this.config;
    const socket = path === undefined ? connect({ host, port }) : connect({ path });
    const abort = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      const answer = answerOf(socket);
      answer.catch(() => undefined);
      await once(socket, 'connect');
      socket.write(`z${name}\0`);
      await send(body, socket);
      return await answer;
    } catch (cause) {
      signal.throwIfAborted();
      if (!isOfSocket(cause)) throw cause;
      throw new TransientFailure('clamd is away', { cause });
    } finally {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  }
}

/** Up to the zero byte that ends it, or the end of the connection. */
async function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  for await (const chunk of socket) {
    answer += (chunk as Buffer).toString('latin1');
    if (answer.includes('\0') || answer.length > MAX_ANSWER_LENGTH) break;
  }
  return answer.split('\0')[0]!.trim();
}

/** Stops when clamd has answered before the end: it says so when a stream is too large for it, and hangs up. */
async function send(body: AsyncIterable<Uint8Array>, socket: Socket): Promise<void> {
  for await (const chunk of body) {
    if (socket.readableLength > 0 || socket.destroyed || !socket.writable) return;
    if (!socket.write(chunk)) await drained(socket);
  }
}

function drained(socket: Socket): Promise<unknown> {
  return Promise.race([once(socket, 'drain'), once(socket, 'close')]);
}

/** Chunks with their lengths before them, and an empty one at the end. */
async function* framed(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    if (chunk.length === 0) continue;
    yield lengthOf(chunk.length);
    yield chunk;
  }
  yield lengthOf(0);
}

async function* none(): AsyncIterable<Uint8Array> {
  // A ping has no body.
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return length;
}

/** Other errors come from whoever gives the content. */
const isOfSocket = (cause: unknown) =>
  ['connect', 'read', 'write'].includes((cause as NodeJS.ErrnoException).syscall ?? '') ||
  ['ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ECONNRESET'].includes((cause as NodeJS.ErrnoException).code ?? '');

const MAX_ANSWER_LENGTH = 10_000;
