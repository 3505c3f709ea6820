import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What the model says, and how it fails while saying it. */
export interface Reply {
  /** The text, in the pieces it is sent in. */
  text?: string | string[];
  /** Instead of a text: a sentence quoted and cited from the passages of the prompt, as a good model would write. */
  cited?: boolean;
  /** Before the first byte, and before every further piece. */
  latencyMs?: number;
  /** Before every piece but the first: a model that drips. */
  gapMs?: number;
  failure?: Failure;
  /** Pieces that are sent before the failure; 1 unless given. */
  afterPieces?: number;
  /** Of `status`: 429 and so on, with an error code and a `Retry-After`. */
  status?: number;
  code?: string;
  retryAfter?: string;
  /** Of `redirect`. */
  location?: string;
  /** Of `endless` and `endless-event`: how much is sent at most; 50 MB unless given. */
  bytes?: number;
}

export type Failure =
  /** Never answers. */
  | 'hang'
  /** Sends the first pieces, then nothing more. */
  | 'stall'
  /** Closes the connection before an answer. */
  | 'reset'
  /** Sends the first pieces, then breaks the connection. */
  | 'reset-midway'
  /** Sends the first pieces and half an event, then breaks the connection. */
  | 'cut'
  /** Sends the first pieces, then ends properly without saying that it finished. */
  | 'truncate'
  /** Says everything and `[DONE]`, but not why it finished. */
  | 'no-finish'
  /** Says everything and why it finished, but not `[DONE]` (`message_stop`). */
  | 'no-done'
  /** Sends the first pieces, then an event that is not JSON. */
  | 'garbage'
  /** Sends the first pieces, then an event with bytes that are no UTF-8. */
  | 'invalid-utf8'
  /** Answers 200 with a web page, as captive portals do. */
  | 'html'
  /** Answers 200 with its events, but calls them something else. */
  | 'wrong-type'
  /** Sends its caller to another host. */
  | 'redirect'
  /** Sends the first pieces, then the protocol's own error event. */
  | 'error-event'
  /** Finishes because its content filter or its judgement says so. */
  | 'refusal'
  /** Says everything and finishes because it may write no more. */
  | 'length'
  /** Goes on talking for `bytes`. */
  | 'endless'
  /** Sends the first pieces, then one event of `bytes`. */
  | 'endless-event'
  /** Sends every event twice. */
  | 'duplicate'
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

export interface Protocol {
  opening(model: string): object[];
  piece(model: string, text: string): object;
  ending(model: string, reason: FinishReason): object[];
  /** OpenAI ends with `data: [DONE]`. */
  sentinel?: string;
  error(status: number, code: string): object;
}

type FinishReason = 'stop' | 'length' | 'refusal' | 'none';

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
const openAiFinish = { stop: 'stop', length: 'length', refusal: 'content_filter', none: null };

export const openAi: Protocol & { whole(model: string, text: string): object } = {
  opening: (model) => [chunk(model, { role: 'assistant', content: '' })],
  piece: (model, text) => chunk(model, { content: text }),
  ending: (model, reason) => [
    chunk(model, {}, openAiFinish[reason]),
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

const anthropicStop = { stop: 'end_turn', length: 'max_tokens', refusal: 'refusal', none: null };

export const anthropic: Protocol = {
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
  ending: (_model, reason) => [
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: anthropicStop[reason], stop_sequence: null },
      usage: { output_tokens: FAKE_USAGE.outputTokens },
    },
    { type: 'message_stop' },
  ],
  error: (_status, code) => ({ type: 'error', error: { type: code, message: 'injected by the test' } }),
};

/** The answer as events, with its failure. Resolves when all is sent or the client has left. */
export async function sendEvents(
  response: ServerResponse,
  reply: Reply,
  protocol: Protocol,
  call: ModelCall['body'],
): Promise<void> {
  const { model } = call;
  const { failure, afterPieces = 1, latencyMs = 0, gapMs = latencyMs } = reply;
  const type = failure === 'wrong-type' ? 'application/octet-stream' : 'text/event-stream';
  response.writeHead(200, { 'content-type': type });
  const write = (event: object) => {
    const text = eventText(event);
    response.write(failure === 'duplicate' ? text + text : text);
  };

  for (const event of protocol.opening(model)) write(event);
  for (const [index, text] of piecesOf(reply, call).entries()) {
    if (index === afterPieces && (await breakOff(response, reply, protocol, model))) return;
    if (index > 0 && gapMs) await delay(gapMs, undefined, { ref: false });
    if (response.destroyed) return;
    write(protocol.piece(model, text));
  }
  if (await breakOff(response, reply, protocol, model)) return;
  const ending = protocol.ending(model, finishReason(failure));
  for (const event of failure === 'no-done' && !protocol.sentinel ? ending.slice(0, -1) : ending)
    write(event);
  const sentinel = failure === 'no-done' ? undefined : protocol.sentinel;
  response.end(sentinel && `data: ${sentinel}\n\n`);
}

function eventText(event: object): string {
  const { type } = event as { type?: string };
  return `${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(event)}\n\n`;
}

function finishReason(failure: Failure | undefined): FinishReason {
  if (failure === 'refusal' || failure === 'length') return failure;
  return failure === 'no-finish' ? 'none' : 'stop';
}

/** Breaks the stream off after its first pieces, when the reply says so. */
async function breakOff(
  response: ServerResponse,
  { failure, code = 'overloaded_error', bytes = 50_000_000 }: Reply,
  protocol: Protocol,
  model: string,
): Promise<boolean> {
  switch (failure) {
    case 'stall':
      return true;
    case 'reset-midway':
    case 'cut': {
      // What was written must be on its way first, or the client would see a stream that never began.
      const last =
        failure === 'cut' ? eventText(protocol.piece(model, 'cut')).slice(0, -9) : ': last words\n\n';
      await new Promise((resolve) => response.write(last, resolve));
      response.socket?.resetAndDestroy();
      return true;
    }
    case 'truncate':
      response.end();
      return true;
    case 'garbage':
      response.end('event: content_block_delta\ndata: {"choices":[{"delta":{"cont\n\n');
      return true;
    case 'invalid-utf8': {
      const [before, after] = eventText(protocol.piece(model, '#')).split('#');
      response.write(
        Buffer.concat([Buffer.from(before!), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(after!)]),
      );
      return false;
    }
    case 'error-event':
      response.end(`event: error\ndata: ${JSON.stringify(protocol.error(500, code))}\n\n`);
      return true;
    case 'endless': {
      const event = eventText(protocol.piece(model, 'and so on '.repeat(100)));
      await pour(response, event, Math.ceil(bytes / event.length));
      return false;
    }
    case 'endless-event': {
      const [before, after] = eventText(protocol.piece(model, '#')).split('#');
      response.write(before);
      await pour(response, 'x'.repeat(1_000), Math.ceil(bytes / 1_000));
      if (!response.destroyed) response.write(after);
      return false;
    }
    default:
      return false;
  }
}

/** As fast as the client reads, until it leaves. */
async function pour(response: ServerResponse, text: string, times: number): Promise<void> {
  for (let i = 0; i < times && !response.destroyed; i++)
    if (!response.write(text)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      response.once('drain', resolve).once('close', resolve);
      await promise;
      response.off('drain', resolve).off('close', resolve);
    }
}

export function piecesOf({ text = [], cited }: Reply, { messages }: ModelCall['body']): string[] {
  if (cited) return citedAnswer(messages.at(-1)?.content ?? '').match(/\S+\s*/g) ?? [];
  return typeof text === 'string' ? [text] : text;
}

/** Quotes the beginning of the passage that shares most words with the question. */
function citedAnswer(prompt: string): string {
  const wordsOf = (text: string) => new Set(text.toLowerCase().match(/\p{L}{4,}/gu));
  const question = wordsOf(/<question>([^]*)<\/question>/.exec(prompt)?.[1] ?? '');
  const shared = (text: string) => [...wordsOf(text)].filter((word) => question.has(word)).length;
  const [best] = [...prompt.matchAll(/<passage number="(\d+)"[^>]*>\n([^]*?)\n<\/passage>/g)]
    .map(([, number, text]) => ({ number: number!, text: text! }))
    .sort((a, b) => shared(b.text) - shared(a.text));
  if (!best) return 'NOT_IN_DOCUMENTS';
  const words = best.text.split('"')[0]!.split('\n')[0]!.split(' ').slice(0, 12).join(' ');
  return `The document says "${words}" [${best.number}].`;
}
