import { InvalidConfiguration, loadConfig } from '#libs/config';
import { createEmbedder, createPreviousEmbedder } from './create-embedder.js';
import { dimensionsOf, embedderSection, previousEmbedderSection } from './embedder.config.js';
import { anthropicSection, chatSection, compatibleSection, openaiSection } from './providers.config.js';
import { providerProbes } from './provider-probes.js';

const sections = {
  embedder: embedderSection,
  previousEmbedder: previousEmbedderSection,
  chat: chatSection,
  openai: openaiSection,
  anthropic: anthropicSection,
  compatible: compatibleSection,
};
const config = (environment: Record<string, string>) => loadConfig(sections, environment);
const origins = { firstReported: (_: string, reported: string) => Promise.resolve(reported) };
const REMOTE = { EMBEDDER_MODEL: 'text-embedding-3-small', EMBEDDER_DIMENSIONS: '1536' };

describe('createEmbedder', () => {
  it('embeds on this machine unless it is told otherwise', () => {
    const embedder = createEmbedder(config({}), origins);
    expect([embedder.model, embedder.dimensions]).toEqual(['use-lite-en-1', 512]);
  });

  it('names the vectors by provider, model and size, which no other vectors share', () => {
    const named = (environment: Record<string, string>) => createEmbedder(config(environment), origins).model;
    expect(named({ ...REMOTE, EMBEDDER_PROVIDER: 'openai', OPENAI_API_KEY: 'k' })).toBe(
      'openai:text-embedding-3-small:1536',
    );
    expect(
      named({
        EMBEDDER_PROVIDER: 'compatible',
        EMBEDDER_MODEL: 'nomic-embed-text:latest',
        EMBEDDER_DIMENSIONS: '768',
        COMPATIBLE_BASE_URL: 'http://localhost:11434/v1',
      }),
    ).toBe('compatible:nomic-embed-text:latest:768');
  });

  it.each([
    ['EMBEDDER_MODEL', { EMBEDDER_PROVIDER: 'openai', OPENAI_API_KEY: 'k', EMBEDDER_DIMENSIONS: '8' }],
    ['EMBEDDER_DIMENSIONS', { EMBEDDER_PROVIDER: 'openai', OPENAI_API_KEY: 'k', EMBEDDER_MODEL: 'e' }],
    ['OPENAI_API_KEY', { EMBEDDER_PROVIDER: 'openai', ...REMOTE }],
    ['COMPATIBLE_BASE_URL', { EMBEDDER_PROVIDER: 'compatible', ...REMOTE }],
    ['EMBEDDER_DIMENSIONS', { EMBEDDER_DIMENSIONS: '256' }],
  ])('stops naming %s when that is missing or wrong', (variable, environment) => {
    const create = () => createEmbedder(config(environment as Record<string, string>), origins);
    expect(create).toThrow(InvalidConfiguration);
    expect(create).toThrow(variable);
  });

  it('knows the size of vectors before there is an embedder', () => {
    expect(dimensionsOf(config({}).embedder)).toBe(512);
    expect(dimensionsOf(config({ ...REMOTE, EMBEDDER_PROVIDER: 'openai' }).embedder)).toBe(1_536);
  });
});

describe('createPreviousEmbedder', () => {
  const NOW = { ...REMOTE, EMBEDDER_PROVIDER: 'openai', OPENAI_API_KEY: 'k' };
  const create = (environment: Record<string, string>) =>
    createPreviousEmbedder(config({ ...NOW, ...environment }), origins);

  it('makes none unless it is told to', () => {
    expect(create({})).toBeUndefined();
  });

  it('makes any embedder that could be configured before, with the keys of its provider or its own', () => {
    expect(create({ PREVIOUS_EMBEDDER_PROVIDER: 'local' })?.model).toBe('use-lite-en-1');
    const compatible = {
      PREVIOUS_EMBEDDER_PROVIDER: 'compatible',
      PREVIOUS_EMBEDDER_MODEL: 'nomic',
      PREVIOUS_EMBEDDER_DIMENSIONS: '768',
      PREVIOUS_EMBEDDER_BASE_URL: 'http://localhost:11434/v1',
    };
    expect(create(compatible)?.model).toBe('compatible:nomic:768');
  });

  it.each([
    ['PREVIOUS_EMBEDDER_DIMENSIONS', { PREVIOUS_EMBEDDER_PROVIDER: 'openai' }],
    [
      'PREVIOUS_EMBEDDER_MODEL',
      { PREVIOUS_EMBEDDER_PROVIDER: 'openai', PREVIOUS_EMBEDDER_DIMENSIONS: '768' },
    ],
    [
      'PREVIOUS_EMBEDDER_PROVIDER',
      {
        PREVIOUS_EMBEDDER_PROVIDER: 'openai',
        PREVIOUS_EMBEDDER_MODEL: REMOTE.EMBEDDER_MODEL,
        PREVIOUS_EMBEDDER_DIMENSIONS: REMOTE.EMBEDDER_DIMENSIONS,
      },
    ],
  ])('stops naming %s when that is missing or wrong', (variable, environment) => {
    expect(() => create(environment as Record<string, string>)).toThrow(InvalidConfiguration);
    expect(() => create(environment as Record<string, string>)).toThrow(variable);
  });
});

describe('providerProbes', () => {
  it('has one for every model and for an embedder on another machine', () => {
    const environment = {
      CHAT_MODELS: 'openai:a,anthropic:b',
      OPENAI_API_KEY: 'k',
      ANTHROPIC_API_KEY: 'k',
    };
    expect(Object.keys(providerProbes(config(environment)))).toEqual(['model:openai:a', 'model:anthropic:b']);
    const remote = { ...environment, ...REMOTE, EMBEDDER_PROVIDER: 'openai' };
    expect(Object.keys(providerProbes(config(remote)))).toContain('embedder');
    const before = { PREVIOUS_EMBEDDER_MODEL: 'older', PREVIOUS_EMBEDDER_DIMENSIONS: '512' };
    const both = { ...remote, ...before, PREVIOUS_EMBEDDER_PROVIDER: 'openai' };
    expect(Object.keys(providerProbes(config(both)))).toContain('previous-embedder');
  });
});
