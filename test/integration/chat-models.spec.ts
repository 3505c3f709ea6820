import { TransientFailure } from '#libs/errors';
import { loadConfig } from '#libs/config';
import { createChatModels } from '../../apps/api/src/rag/providers/chat-models.js';
import type { ChatEvent, ChatModel, TokenUsage } from '../../apps/api/src/rag/providers/provider.js';
import { ModelRejected } from '../../apps/api/src/rag/providers/provider-failure.js';
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
  if (event.type === 'end') outcome.usage = event.usage;
  else {
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

  it.each<[Failure, string]>([
    ['reset', ''],
    ['html', ''],
    ['reset-midway', 'The deductible'],
    ['truncate', 'The deductible'],
    ['garbage', 'The deductible'],
    ['error-event', 'The deductible'],
  ])('calls "%s" a transient failure', async (failure, textBefore) => {
    server.say({ text: ['The deductible', ' is $500'], failure });
    const { text, error, usage } = await read(model(name));
    expect(error).toBeInstanceOf(TransientFailure);
    expect(text).toBe(textBefore);
    expect(usage).toBeUndefined();
  });

  it.each([429, 500, 503, 529])('calls status %i a transient failure', async (status) => {
    server.say({ failure: 'status', status, retryAfter: '3' });
    const { error } = await read(model(name));
    expect(error).toBeInstanceOf(TransientFailure);
    expect((error as TransientFailure).retryAfterMs).toBe(3_000);
  });

  it.each([400, 401, 404])('calls status %i a definite no', async (status) => {
    server.say({ failure: 'status', status, code: 'no_such_thing' });
    const { error } = await read(model(name));
    expect(error).toBeInstanceOf(ModelRejected);
    expect((error as Error).message).toContain(`${status} no_such_thing`);
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
    expect((error as Error).message).toContain('first token');
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
