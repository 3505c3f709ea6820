import { InvalidConfiguration, loadConfig } from '#libs/config';
import { createChatModels } from './chat-models.js';
import { anthropicSection, chatSection, compatibleSection, openaiSection } from './providers.config.js';

const models = (environment: Record<string, string>) =>
  createChatModels(
    loadConfig(
      {
        chat: chatSection,
        openai: openaiSection,
        anthropic: anthropicSection,
        compatible: compatibleSection,
      },
      environment,
    ),
  );

function complaint(environment: Record<string, string>): string {
  try {
    models(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidConfiguration);
    return (error as Error).message;
  }
  throw new Error('nothing was wrong');
}

describe('createChatModels', () => {
  it('makes no model unless one is listed', () => {
    expect(models({})).toEqual([]);
    expect(models({ CHAT_MODELS: ' , ' })).toEqual([]);
  });

  it('keeps the order of the list and the names as they were written', () => {
    const names = models({
      CHAT_MODELS: 'openai:gpt-5-mini, anthropic:claude-haiku-4-5,compatible:llama3.1:8b',
      OPENAI_API_KEY: 'a',
      ANTHROPIC_API_KEY: 'b',
      COMPATIBLE_BASE_URL: 'http://localhost:11434/v1',
    }).map(({ name }) => name);
    expect(names).toEqual(['openai:gpt-5-mini', 'anthropic:claude-haiku-4-5', 'compatible:llama3.1:8b']);
  });

  it.each([
    ['OPENAI_API_KEY', 'openai:gpt'],
    ['ANTHROPIC_API_KEY', 'anthropic:claude'],
    ['COMPATIBLE_BASE_URL', 'compatible:llama'],
  ])('stops naming %s when %s is listed without it', (variable, model) => {
    expect(complaint({ CHAT_MODELS: model })).toContain(`${variable}: is needed for ${model}`);
  });

  it.each(['gpt-5', 'mistral:large', 'openai:', ':gpt', 'toString:x'])(
    'stops naming CHAT_MODELS for "%s"',
    (name) => {
      expect(complaint({ CHAT_MODELS: name, OPENAI_API_KEY: 'a' })).toContain('CHAT_MODELS: ');
    },
  );

  it('refuses a model that is listed twice', () => {
    expect(complaint({ CHAT_MODELS: 'openai:a,openai:a', OPENAI_API_KEY: 'a' })).toContain('openai:a twice');
  });
});
