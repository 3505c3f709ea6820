import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type DomainError, FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import { loadConfig } from '#libs/config';
import { createChatModels } from '../../apps/api/src/rag/providers/chat-models.js';
import type { ChatEvent, ChatModel, TokenUsage } from '../../apps/api/src/rag/providers/provider.js';
import {
  ContextTooLong,
  type FailureReason,
  ModelRejected,
  ProviderFailure,
  reasonOf,
} from '../../apps/api/src/rag/providers/provider-failure.js';
import {
  anthropicSection,
  chatSection,
  compatibleSection,
  openaiSection,
} from '../../apps/api/src/rag/providers/providers.config.js';
import { type Failure, FAKE_USAGE, FakeModelServer } from '../support/fake-model-server.js';

let server: FakeModelServer;
beforeAll(async () => {
  server = await FakeModelServer.start();
});
afterAll(() => server.close());

/** Limits that only the tests about limits come near to. */
function model(name: string, limits: Record<string, string> = {}): ChatModel {
  const environment = {
    CHAT_MODELS: name,
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_API_KEY: 'key-for-openai',
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: 'key-for-anthropic',
    COMPATIBLE_BASE_URL: `${server.url}/v1`,
    ...limits,
  };
  const sections = {
    chat: chatSection,
    openai: openaiSection,
    anthropic: anthropicSection,
    compatible: compatibleSection,
  };
  return createChatModels(loadConfig(sections, environment))[0]!;
}

const request = {
  messages: [
    { role: 'system' as const, content: 'Answer from the passages.' },
    { role: 'user' as const, content: 'What is the deductible?' },
  ],
  maxTokens: 256,
};

interface Outcome {
  text: string;
  pieces: number;
  usage?: TokenUsage | null;
  finishReason?: 'length';
  error?: unknown;
}

async function read(chat: ChatModel, signal = new AbortController().signal): Promise<Outcome> {
  const outcome: Outcome = { text: '', pieces: 0 };
  try {
    for await (const event of chat.stream(request, signal)) take(outcome, event);
  } catch (error) {
    outcome.error = error;
  }
  return outcome;
}

function take(outcome: Outcome, event: ChatEvent): void {
  if (event.type === 'end') {
    outcome.usage = event.usage;
    if (event.finishReason) outcome.finishReason = event.finishReason;
  } else {
    outcome.text += event.text;
    outcome.pieces++;
  }
}

describe.each(['openai:gpt-test', 'anthropic:claude-test', 'compatible:llama:8b'])('%s', (name) => {
  it('streams the text as it is written, then its end with the tokens used', async () => {
    server.say({ text: ['The deductible', ' is $500', ' [1].'] });
    expect(await read(model(name))).toEqual({
      text: 'The deductible is $500 [1].',
      pieces: 3,
      usage: FAKE_USAGE,
    });
  });

  it('passes over pieces without text and joins characters that were cut in half', async () => {
    server.say({ text: ['Größe ', '', '5\u{1f9be}'] });
    expect((await read(model(name))).text).toBe('Größe 5\u{1f9be}');
  });

  it.each<[Failure, string, FailureReason]>([
    ['reset', '', 'connection'],
    ['html', '', 'wrong-content-type'],
    ['wrong-type', '', 'wrong-content-type'],
    ['redirect', '', 'redirected'],
    ['reset-midway', 'The deductible', 'connection'],
    ['cut', 'The deductible', 'connection'],
    ['truncate', 'The deductible', 'truncated'],
    ['no-finish', 'The deductible is $500', 'truncated'],
    ['no-done', 'The deductible is $500', 'truncated'],
    ['garbage', 'The deductible', 'malformed'],
  ])('calls "%s" a failure, and never an end', async (failure, textBefore, reason) => {
    server.say({ text: ['The deductible', ' is $500'], failure });
    const { text, error, usage } = await read(model(name));
    expect(error).toBeInstanceOf(ProviderFailure);
    expect((error as ProviderFailure).reason).toBe(reason);
    expect(text).toBe(textBefore);
    expect(usage).toBeUndefined();
  });

  it('calls bytes that are no UTF-8 a failure, and gives out none of them', async () => {
    server.say({ text: ['The deductible', ' is $500'], failure: 'invalid-utf8' });
    const { text, error, usage } = await read(model(name));
    expect([reasonOf(error), usage]).toEqual(['malformed', undefined]);
    // What came in the same packet is lost with them.
    expect(['', 'The deductible']).toContain(text);
  });

  it('follows no redirect, wherever it leads', async () => {
    const elsewhere = await FakeModelServer.start();
    server.say({ failure: 'redirect', location: `${elsewhere.url}/v1/chat/completions` });
    await read(model(name));
    expect(elsewhere.calls).toEqual([]);
    await elsewhere.close();
  });

  it('keeps nothing of the bytes it could not read', async () => {
    for (const failure of ['garbage', 'invalid-utf8', 'error-event'] as const) {
      server.say({ text: ['secret', ' words'], failure });
      const { error } = await read(model(name));
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/secret|choices|injected/);
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it.each([429, 503, 529])('calls status %i an overload, and says when to come back', async (status) => {
    server.say({ failure: 'status', status, retryAfter: '7' });
    const { error } = await read(model(name));
    expect(error).toBeInstanceOf(Overloaded);
    expect((error as Overloaded).retryAfterMs).toBe(7_000);
    server.say({ failure: 'status', status });
    expect((await read(model(name))).error).toMatchObject({ retryAfterMs: undefined });
  });

  it('asks nothing more of a provider until it wants to be asked again', async () => {
    server.say({ failure: 'status', status: 429, retryAfter: '7' });
    const busy = model(name);
    await read(busy);
    const before = server.calls.length;
    server.say({ text: 'ok' });
    const { error } = await read(busy);
    expect(error).toMatchObject({ code: 'dependency-unavailable', reason: 'overloaded' });
    expect((error as DomainError).retryAfterMs).toBeGreaterThan(6_000);
    expect(server.calls.length).toBe(before);
  });

  it('takes an overload inside a stream for the same', async () => {
    server.say({ text: ['The', ' deductible'], failure: 'error-event', code: 'overloaded_error' });
    expect((await read(model(name))).error).toBeInstanceOf(Overloaded);
  });

  it.each([500, 502, 504])('calls status %i a failure that may pass', async (status) => {
    server.say({ failure: 'status', status });
    expect(reasonOf((await read(model(name))).error)).toBe('server-error');
  });

  it.each([
    [401, 'invalid_api_key'],
    [403, 'permission_error'],
    [404, 'model_not_found'],
    [429, 'insufficient_quota'],
  ])('calls status %i %s fatal', async (status, code) => {
    server.say({ failure: 'status', status, code });
    const { error } = await read(model(name));
    expect(error).toBeInstanceOf(FatalFailure);
    expect((error as Error).message).toContain(`${status} ${code}`);
  });

  it.each([400, 422])('calls any other status such as %i a no to this request', async (status) => {
    server.say({ failure: 'status', status, code: 'no_such_thing' });
    const { error } = await read(model(name));
    expect(error).toBeInstanceOf(ModelRejected);
    expect((error as Error).message).toContain(`${status} no_such_thing`);
  });

  it('tells a request with too many tokens apart', async () => {
    server.say({ failure: 'status', status: 400, code: 'context_length_exceeded' });
    expect((await read(model(name))).error).toBeInstanceOf(ContextTooLong);
  });

  it('says that an answer was cut off by its limit of tokens', async () => {
    server.say({ text: ['The deductible', ' is'], failure: 'length' });
    expect(await read(model(name))).toEqual({
      text: 'The deductible is',
      pieces: 2,
      usage: FAKE_USAGE,
      finishReason: 'length',
    });
  });

  it('stops reading an answer of 50 MB at its limit, says so, and holds none of it', async () => {
    server.say({ text: 'So', failure: 'endless' });
    const left = server.clientLeft();
    const { text, finishReason, error } = await read(model(name));
    await left;
    expect({ chars: text.length, finishReason, error }).toEqual({ chars: 64_000, finishReason: 'length' });
  });

  it('stops reading an event of 50 MB, and keeps what was said before', async () => {
    server.say({ text: 'So', failure: 'endless-event' });
    const left = server.clientLeft();
    expect(await read(model(name))).toEqual({ text: 'So', pieces: 1, usage: null, finishReason: 'length' });
    await left;
    server.say({ text: 'So', failure: 'endless-event', afterPieces: 0 });
    expect(reasonOf((await read(model(name))).error)).toBe('too-large');
  });

  it('gets over events that come twice', async () => {
    server.say({ text: ['a', 'b'], failure: 'duplicate' });
    expect(await read(model(name))).toMatchObject({ text: 'aabb', usage: FAKE_USAGE });
  });

  it('lets a model drip as long as no gap is too long, and no longer', async () => {
    server.say({ text: ['a', 'b', 'c'], gapMs: 40 });
    expect((await read(model(name, { CHAT_IDLE_TIMEOUT_MS: '2000' }))).text).toBe('abc');
    server.say({ text: ['a', 'b', 'c'], gapMs: 10_000 });
    const left = server.clientLeft();
    const { text, error } = await read(model(name, { CHAT_IDLE_TIMEOUT_MS: '100' }));
    expect([text, reasonOf(error)]).toEqual(['a', 'idle-timeout']);
    await left;
  });

  it('says how it is without being asked a question', async () => {
    const ping = async () => model(name).ping!(new AbortController().signal);
    server.follow({ models: [{ times: 1, failure: 'status', status: 404 }] });
    await ping();
    await ping();
    const statuses: [number, unknown][] = [
      [500, ProviderFailure],
      [429, Overloaded],
      [401, FatalFailure],
    ];
    for (const [status, kind] of statuses) {
      server.follow({ models: [{ failure: 'status', status }] });
      await expect(ping()).rejects.toBeInstanceOf(kind);
    }
    server.follow({});
  });

  it('calls a refusal a definite no', async () => {
    server.say({ text: 'I cannot', failure: 'refusal' });
    expect((await read(model(name))).error).toBeInstanceOf(ModelRejected);
  });

  it('asks once and leaves trying again to the policy around it', async () => {
    server.say({ failure: 'status', status: 500 });
    const before = server.calls.length;
    await read(model(name));
    expect(server.calls.length - before).toBe(1);
  });

  it('gives up on a model that never begins, and lets go of the connection', async () => {
    server.say({ failure: 'hang' });
    const left = server.clientLeft();
    const { error } = await read(model(name, { CHAT_FIRST_TOKEN_TIMEOUT_MS: '100' }));
    expect(reasonOf(error)).toBe('first-token-timeout');
    await left;
  });

  it('gives up on a model that falls silent, and keeps what it said', async () => {
    server.say({ text: ['The deductible', ' is $500'], failure: 'stall' });
    const left = server.clientLeft();
    const { text, error } = await read(model(name, { CHAT_IDLE_TIMEOUT_MS: '100' }));
    expect(error).toBeInstanceOf(TransientFailure);
    expect(text).toBe('The deductible');
    await left;
  });

  it('hangs up at once when its caller leaves', async () => {
    const caller = new AbortController();
    const reason = new Error('the client left');
    const left = server.clientLeft();
    server.say(() => {
      caller.abort(reason);
      return { failure: 'hang' };
    });
    expect((await read(model(name), caller.signal)).error).toBe(reason);
    await left;
  });

  it('hangs up when its reader has heard enough', async () => {
    server.say({ text: ['a', 'b'], failure: 'stall' });
    const left = server.clientLeft();
    const heard: string[] = [];
    for await (const event of model(name).stream(request, new AbortController().signal)) {
      heard.push(event.type);
      break;
    }
    await left;
    expect(heard).toEqual(['text']);
  });
});

describe('what a provider is sent', () => {
  const lastCall = async (name: string, limits?: Record<string, string>) => {
    server.say({ text: 'ok' });
    await read(model(name, limits));
    return server.calls.at(-1)!;
  };

  it('is a streamed chat completion with the key, for OpenAI', async () => {
    const { path, headers, body } = await lastCall('openai:gpt-test');
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe('Bearer key-for-openai');
    expect(body).toEqual({
      model: 'gpt-test',
      messages: request.messages,
      max_completion_tokens: 256,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('names the token limit as older servers know it, for compatible ones, and asks for steady answers', async () => {
    const { body } = await lastCall('compatible:llama:8b');
    expect(body).toMatchObject({ model: 'llama:8b', max_tokens: 256, temperature: 0 });
    expect(body).not.toHaveProperty('max_completion_tokens');
    expect((await lastCall('compatible:llama', { CHAT_TEMPERATURE: '0.5' })).body['temperature']).toBe(0.5);
  });

  it('has its instructions apart from the conversation, for Anthropic', async () => {
    const { path, headers, body } = await lastCall('anthropic:claude-test');
    expect(path).toBe('/v1/messages');
    expect(JSON.stringify(headers)).toContain('key-for-anthropic');
    expect(body).toEqual({
      model: 'claude-test',
      system: 'Answer from the passages.',
      messages: [{ role: 'user', content: 'What is the deductible?' }],
      max_tokens: 256,
      stream: true,
    });
  });
});

it('calls a provider that nobody runs fatal', async () => {
  const place = createServer().listen(0, '127.0.0.1');
  await once(place, 'listening');
  const { port } = place.address() as AddressInfo;
  place.close();
  await once(place, 'close');
  for (const name of ['openai:gpt-test', 'anthropic:claude-test']) {
    const url = `http://127.0.0.1:${port}`;
    const { error } = await read(model(name, { OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url }));
    expect(error).toBeInstanceOf(FatalFailure);
  }
});
