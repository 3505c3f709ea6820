import { loadConfig } from '#libs/config';
import { createChatModels } from '../../apps/api/src/rag/providers/chat-models.js';
import type { ChatEvent } from '../../apps/api/src/rag/providers/provider.js';
import {
  anthropicSection,
  chatSection,
  compatibleSection,
  openaiSection,
} from '../../apps/api/src/rag/providers/providers.config.js';
import { FakeModelServer } from '../support/fake-model-server.js';

describe('an answer of a given form', () => {
  let server: FakeModelServer;
  beforeAll(async () => {
    server = await FakeModelServer.start();
  });
  afterAll(() => server.close());

  const form = {
    name: 'sum',
    schema: {
      type: 'object',
      properties: { sum: { type: 'string' } },
      required: ['sum'],
      additionalProperties: false,
    },
  };

  async function ask(model: string, schema?: typeof form) {
    server.say({ text: '{"sum":"$500"}' });
    const [chat] = createChatModels(
      loadConfig(
        {
          chat: chatSection,
          openai: openaiSection,
          anthropic: anthropicSection,
          compatible: compatibleSection,
        },
        {
          CHAT_MODELS: model,
          OPENAI_BASE_URL: `${server.url}/v1`,
          OPENAI_API_KEY: 'key-for-openai',
          ANTHROPIC_BASE_URL: server.url,
          ANTHROPIC_API_KEY: 'key-for-anthropic',
          COMPATIBLE_BASE_URL: `${server.url}/v1`,
        },
      ),
    );
    const events: ChatEvent[] = [];
    const request = { messages: [{ role: 'user' as const, content: 'Which sum?' }], maxTokens: 64, schema };
    for await (const event of chat!.stream(request, new AbortController().signal)) events.push(event);
    return { events, body: server.calls.at(-1)!.body };
  }

  it.each(['openai:gpt-test', 'compatible:llama:8b'])('is asked of %s by a JSON schema', async (model) => {
    const { events, body } = await ask(model, form);
    expect(body.response_format).toEqual({ type: 'json_schema', json_schema: { ...form, strict: true } });
    expect(body).not.toHaveProperty('tools');
    expect(events[0]).toEqual({ type: 'text', text: '{"sum":"$500"}' });
  });

  it('is asked of anthropic by a JSON schema', async () => {
    const { events, body } = await ask('anthropic:claude-test', form);
    expect(body.output_config).toEqual({ format: { type: 'json_schema', schema: form.schema } });
    expect(body).not.toHaveProperty('tools');
    expect(events[0]).toEqual({ type: 'text', text: '{"sum":"$500"}' });
  });

  it.each(['openai:gpt-test', 'anthropic:claude-test'])('is not asked of %s otherwise', async (model) => {
    const { body } = await ask(model);
    expect(body).not.toHaveProperty('response_format');
    expect(body).not.toHaveProperty('output_config');
  });
});
