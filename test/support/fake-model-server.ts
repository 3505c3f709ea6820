import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddingCall, type EmbeddingReply, isPoisoned, sendEmbeddings } from './fake-embeddings.js';
import {
  anthropic,
  type ModelCall,
  openAi,
  piecesOf,
  type Protocol,
  type Reply,
  sendEvents,
} from './fake-model-protocols.js';
import { type CallKind, type Script, ScriptRun } from './fake-model-script.js';

export { type Failure, FAKE_USAGE, type ModelCall, type Reply } from './fake-model-protocols.js';
export { type EmbeddingFailure, type EmbeddingReply, FAKE_DIMENSIONS } from './fake-embeddings.js';
export type { Script } from './fake-model-script.js';

/** What has been asked of the fake since it started or was told to forget. */
export interface FakeStats {
  calls: Record<CallKind, number>;
  /** When each of the last calls came, in milliseconds since 1970. */
  times: Record<CallKind, number[]>;
  /** Answers by what was wrong with them; `none` are the good ones. */
  failures: Record<string, number>;
  underWay: number;
  /** Clients that left before their answer was complete. */
  departures: number;
}

const TIMES_KEPT = 2_000;

/**
 * A model provider on a local port that speaks OpenAI's chat completions (JSON and events), embeddings and list of
 * models, and Anthropic's messages (events), and says and breaks what a test asks for. From outside the process it is
 * led over HTTP: `POST /__script` puts a `Script` in the place of the one before (`{}` heals everything),
 * `GET /__stats` tells `FakeStats`, `POST /__forget` sets them to zero, `GET /__calls` tells the last chat calls.
 */
export class FakeModelServer {
  readonly calls: ModelCall[] = [];
  readonly embeddingCalls: EmbeddingCall[] = [];
  private reply: (call: ModelCall) => Reply = () => ({ text: 'Hello.' });
  private embeddingReply: (call: EmbeddingCall) => EmbeddingReply = () => ({});
  private script = new ScriptRun({});
  private stats = noStats();
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly departures: (() => void)[] = [];

  /** @param callsKept the last calls, for those who let the fake run for long */
  private constructor(private readonly callsKept: number) {
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async start({ port = 0, callsKept = Infinity } = {}): Promise<FakeModelServer> {
    const fake = new FakeModelServer(callsKept);
    fake.server.listen(port, '127.0.0.1');
    await once(fake.server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What is said from now on: always the same, or decided call by call. */
  say(reply: Reply | ((call: ModelCall) => Reply)): void {
    this.reply = typeof reply === 'function' ? reply : () => reply;
  }

  /** The same for embeddings. */
  embed(reply: EmbeddingReply | ((call: EmbeddingCall) => EmbeddingReply)): void {
    this.embeddingReply = typeof reply === 'function' ? reply : () => reply;
  }

  /** Rules that come before what `say` and `embed` set. */
  follow(script: Script): void {
    this.script = new ScriptRun(script);
  }

  /** Resolves when a client has left before its answer was complete. */
  clientLeft(): Promise<void> {
    return new Promise((resolve) => this.departures.push(resolve));
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readAll(request).catch(() => undefined);
    if (text === undefined) return;
    const path = request.url ?? '';
    if (path.startsWith('/__')) return this.lead(path, text, response);
    response.on('close', () => {
      this.stats.underWay--;
      if (response.writableEnded) return;
      this.stats.departures++;
      for (const resolve of this.departures.splice(0)) resolve();
    });
    this.stats.underWay++;
    if (path.endsWith('/chat/completions')) return this.chat(request, response, text, openAi);
    if (path.endsWith('/messages')) return this.chat(request, response, text, anthropic);
    if (path.endsWith('/embeddings')) return this.embeddings(response, text);
    if (path.endsWith('/models')) return this.models(response);
    sendJson(response, 404, {});
  }

  private async chat(request: IncomingMessage, response: ServerResponse, text: string, protocol: Protocol) {
    const body = JSON.parse(text) as ModelCall['body'];
    const call = { path: request.url ?? '', headers: request.headers, body };
    keep(this.calls, call, this.callsKept);
    const reply = this.script.replyTo('chat', text) ?? this.reply(call);
    this.count('chat', reply.failure);
    if (reply.latencyMs) await delay(reply.latencyMs, undefined, { ref: false });
    if (sendRefusal(response, reply, protocol)) return;
    if (body.stream) return sendEvents(response, reply, protocol, body);
    sendJson(response, 200, openAi.whole(body.model, piecesOf(reply, body).join('')));
  }

  private async embeddings(response: ServerResponse, text: string): Promise<void> {
    const call = JSON.parse(text) as EmbeddingCall;
    keep(this.embeddingCalls, call, this.callsKept);
    const reply = this.script.replyTo('embeddings', text) ?? this.embeddingReply(call);
    const refused = isPoisoned(call, reply);
    this.count('embeddings', reply.failure === 'poisoned' && !refused ? undefined : reply.failure);
    if (reply.latencyMs) await delay(reply.latencyMs, undefined, { ref: false });
    if (refused) return sendJson(response, 400, openAi.error(400, reply.code ?? 'invalid_request_error'));
    if (!sendRefusal(response, reply, openAi)) sendEmbeddings(response, call, reply);
  }

  private models(response: ServerResponse): void {
    const reply = this.script.replyTo('models', '') ?? {};
    this.count('models', reply.failure);
    if (!sendRefusal(response, reply, openAi)) sendJson(response, 200, { object: 'list', data: [] });
  }

  private lead(path: string, text: string, response: ServerResponse): void {
    if (path === '/__script') this.follow(JSON.parse(text) as Script);
    else if (path === '/__forget') this.stats = { ...noStats(), underWay: this.stats.underWay };
    else if (path === '/__stats') return sendJson(response, 200, this.stats);
    else if (path === '/__calls') return sendJson(response, 200, this.calls);
    else return sendJson(response, 404, {});
    sendJson(response, 200, {});
  }

  private count(kind: CallKind, failure = 'none'): void {
    this.stats.calls[kind]++;
    this.stats.failures[failure] = (this.stats.failures[failure] ?? 0) + 1;
    keep(this.stats.times[kind], Date.now(), TIMES_KEPT);
  }
}

const noStats = (): FakeStats => ({
  calls: { chat: 0, embeddings: 0, models: 0 },
  times: { chat: [], embeddings: [], models: [] },
  failures: {},
  underWay: 0,
  departures: 0,
});

function keep<T>(list: T[], item: T, atMost: number): void {
  list.push(item);
  if (list.length > atMost) list.shift();
}

interface Refusal {
  failure?: string;
  status?: number;
  code?: string;
  retryAfter?: string;
  location?: string;
}

/** The failures that come in the place of an answer, of whatever kind. */
function sendRefusal(response: ServerResponse, reply: Refusal, protocol: Protocol): boolean {
  if (response.destroyed) return true;
  const { status = 500, code = 'server_error', retryAfter, location = METADATA_SERVICE } = reply;
  switch (reply.failure) {
    case 'hang':
      return true;
    case 'reset':
      response.socket?.destroy();
      return true;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>');
      return true;
    case 'redirect':
      response.writeHead(307, { location }).end();
      return true;
    case 'status':
      sendJson(
        response,
        status,
        protocol.error(status, code),
        retryAfter ? { 'retry-after': retryAfter } : {},
      );
      return true;
    default:
      return false;
  }
}

/** What a request forgery is usually after. */
const METADATA_SERVICE = 'http://169.254.169.254/latest/meta-data/';

function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
