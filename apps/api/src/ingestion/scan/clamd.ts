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
    signal.throwIfAborted();
    const { socket: path, host, port } = this.config;
    const socket = path === undefined ? connect({ host, port }) : connect({ path });
    const answer = answerOf(socket);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      socket.write(`z${name}\0`);
      // It may answer before the end: it says so when a stream is too large for it, and hangs up.
      return await Promise.race([answer, aborted.promise, send(body, socket).then(() => answer)]);
    } finally {
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  }
}

/** Up to the zero byte that ends it, or the end of the connection. @throws TransientFailure */
function answerOf(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    if (answer.includes('\0') || answer.length > MAX_ANSWER_LENGTH) resolve(answer.split('\0')[0]!.trim());
  });
  socket.once('error', (cause) => reject(new TransientFailure('clamd is away', { cause })));
  socket.once('close', () => reject(new TransientFailure('clamd hung up without an answer')));
  return promise;
}

/** Until all is sent or nobody takes it any more. */
async function send(body: AsyncIterable<Uint8Array>, socket: Socket): Promise<void> {
  for await (const chunk of body) {
    if (socket.destroyed) return;
    if (!socket.write(chunk)) await drained(socket);
  }
}

function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const proceed = () => {
    socket.off('drain', proceed).off('close', proceed);
    resolve();
  };
  if (socket.destroyed) proceed();
  else socket.on('drain', proceed).on('close', proceed);
  return promise;
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

const MAX_ANSWER_LENGTH = 10_000;
