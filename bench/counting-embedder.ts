import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddingCall, sendEmbeddings, textsOf } from '../test/support/fake-embeddings.js';

const EMBEDDING_MS = 20;

/** An embedder that counts what it was asked, so that work which is done twice is seen. */
export class CountingEmbedder {
  /** Texts that were embedded, each time counted. */
  embedded = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
    readonly dimensions: number,
  ) {}

  static async start(dimensions = 64): Promise<CountingEmbedder> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const embedder = new CountingEmbedder(server, url, dimensions);
    server.on('request', (request, response) => void embedder.answer(request, response));
    return embedder;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // Whoever asked was killed.
    }
    const call = JSON.parse(Buffer.concat(chunks).toString('utf8')) as EmbeddingCall;
    await delay(EMBEDDING_MS);
    this.embedded += textsOf(call).length;
    sendEmbeddings(response, call, {});
  }
}
