import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the model says, and how it fails while saying it. */
export interface Reply {
  /** The text, in the pieces it is sent in. */
  text?: string | string[];
  /** Before the first byte, and before every further piece. */
  latencyMs?: number;
  failure?: Failure;
  /** Of `status`: 429 and so on, with an error code and a `Retry-After`. */
  status?: number;
  code?: string;
  retryAfter?: string;
}

export type Failure =
  /** Never answers. */
  | 'hang'
  /** Sends the first piece, then nothing more. */
  | 'stall'
  /** Closes the connection before an answer. */
  | 'reset'
  /** Sends the first piece, then breaks the connection. */
  | 'reset-midway'
  /** Sends the first piece, then ends properly without saying that it finished. */
  | 'truncate'
  /** Sends the first piece, then an event that is not JSON. */
  | 'garbage'
  /** Answers 200 with a web page, as captive portals do. */
  | 'html'
  /** Sends the first piece, then the protocol's own error event. */
  | 'error-event'
  /** Finishes because its content filter or its judgement says so. */
  | 'refusal'
  /** Answers with `status`. */
  | 'status';

/** A call as the server got it. */
export interface ModelCall {
  path: string;
  headers: IncomingMessage['headers'];
  body: {
    model: string;
    stream?: boolean;
    messages: { role: string; content: string }[];
    [key: string]: unknown;
  };
}

/**
 * A model provider on a local port that speaks OpenAI's chat completions (JSON and events) and Anthropic's messages
 * (events), and says and breaks what a test asks for.
 */
export class FakeModelServer {
  readonly calls: ModelCall[] = [];
  private reply: (call: ModelCall) => Reply = () => ({ text: 'Hello.' });
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly departures: (() => void)[] = [];

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(): Promise<FakeModelServer> {
    const fake = new FakeModelServer();
    fake.server.listen(0, '127.0.0.1');
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
    response.on('close', () => {
      if (!response.writableEnded) for (const resolve of this.departures.splice(0)) resolve();
    });
    const body = JSON.parse(await readAll(request)) as ModelCall['body'];
    const call = { path: request.url ?? '', headers: request.headers, body };
    this.calls.push(call);
    const reply = this.reply(call);
    const protocol = call.path.endsWith('/chat/completions')
      ? openAi
      : call.path.endsWith('/messages')
        ? anthropic
        : null;
    if (!protocol) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{}');

    if (reply.latencyMs) await delay(reply.latencyMs);
    if (response.destroyed) return;
    if (reply.failure === 'hang') return;
    if (reply.failure === 'reset') return void request.socket.destroy();
    if (reply.failure === 'html')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>');
    if (reply.failure === 'status') return sendStatus(response, reply, protocol);
    if (!body.stream) return sendJson(response, 200, openAi.whole(call.body.model, piecesOf(reply).join('')));
    await sendEvents(request, response, reply, protocol, body.model);
  }
}

interface Protocol {
  opening(model: string): object[];
  piece(model: string, text: string): object;
  ending(model: string, refused: boolean): object[];
  /** OpenAI ends with `data: [DONE]`. */
  sentinel?: string;
  error(status: number, code: string): object;
}

/** What every answer of the fake is said to have cost. */
export const FAKE_USAGE = { inputTokens: 100, outputTokens: 20 };

const chunk = (model: string, delta: object, finish: string | null = null) => ({
  id: 'chatcmpl-fake',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model,
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const openAiUsage = {
  prompt_tokens: FAKE_USAGE.inputTokens,
  completion_tokens: FAKE_USAGE.outputTokens,
  total_tokens: FAKE_USAGE.inputTokens + FAKE_USAGE.outputTokens,
};
const openAi: Protocol & { whole(model: string, text: string): object } = {
  opening: (model) => [chunk(model, { role: 'assistant', content: '' })],
  piece: (model, text) => chunk(model, { content: text }),
  ending: (model, refused) => [
    chunk(model, {}, refused ? 'content_filter' : 'stop'),
    { ...chunk(model, {}), choices: [], usage: openAiUsage },
  ],
  sentinel: '[DONE]',
  error: (_status, code) => ({ error: { message: 'injected by the test', type: code, param: null, code } }),
  whole: (model, text) => ({
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: openAiUsage,
  }),
};

const anthropic: Protocol = {
  opening: (model) => [
    {
      type: 'message_start',
      message: {
        id: 'msg_fake',
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        usage: { input_tokens: FAKE_USAGE.inputTokens, output_tokens: 1 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
  ],
  piece: (_model, text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
  ending: (_model, refused) => [
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: refused ? 'refusal' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: FAKE_USAGE.outputTokens },
    },
    { type: 'message_stop' },
  ],
  error: (_status, code) => ({ type: 'error', error: { type: code, message: 'injected by the test' } }),
};

async function sendEvents(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  protocol: Protocol,
  model: string,
): Promise<void> {
  const write = (event: object, name = (event as { type?: string }).type) =>
    response.write(`${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(event)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of protocol.opening(model)) write(event);
  for (const [index, text] of piecesOf(reply).entries()) {
    if (index > 0 && reply.latencyMs) await delay(reply.latencyMs);
    if (response.destroyed) return;
    if (index > 0 && (await breakOff(request, response, reply, protocol))) return;
    write(protocol.piece(model, text));
  }
  if (await breakOff(request, response, reply, protocol)) return;
  for (const event of protocol.ending(model, reply.failure === 'refusal')) write(event);
  response.end(protocol.sentinel ? `data: ${protocol.sentinel}\n\n` : undefined);
}

/** Breaks the stream off after its first piece, when the reply says so. */
async function breakOff(
  request: IncomingMessage,
  response: ServerResponse,
  { failure, code = 'overloaded_error' }: Reply,
  protocol: Protocol,
): Promise<boolean> {
  switch (failure) {
    case 'stall':
      return true;
    case 'reset-midway':
      // What was written must be on its way first, or the client would see a stream that never began.
      await new Promise((resolve) => response.write(': last words\n\n', resolve));
      request.socket.resetAndDestroy();
      return true;
    case 'truncate':
      response.end();
      return true;
    case 'garbage':
      response.end('event: content_block_delta\ndata: {"choices":[{"delta":{"cont\n\n');
      return true;
    case 'error-event':
      response.end(`event: error\ndata: ${JSON.stringify(protocol.error(500, code))}\n\n`);
      return true;
    default:
      return false;
  }
}

function sendStatus(
  response: ServerResponse,
  { status = 500, code = 'server_error', retryAfter }: Reply,
  protocol: Protocol,
) {
  sendJson(response, status, protocol.error(status, code), retryAfter ? { 'retry-after': retryAfter } : {});
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const piecesOf = ({ text = [] }: Reply) => (typeof text === 'string' ? [text] : text);

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
