import { z } from 'zod';
import { envExample } from './env-example.js';
import { InvalidConfiguration, loadConfig } from './load-config.js';
import { section } from './section.js';

const sections = {
  rag: section(
    'RAG',
    z.object({
      topK: z.coerce.number().int().min(1).max(50).default(8).describe('Passages that are read.'),
      rerank: z.enum(['yes', 'no']).default('no').describe('Whether to rerank.'),
    }),
  ),
  server: section(
    '',
    z.object({ port: z.coerce.number().int().max(65_535).default(3000).describe('TCP port.') }),
  ),
  key: section('OPENAI', z.object({ apiKey: z.string().min(8).optional().describe('The key.') })),
};

describe('configuration', () => {
  it('takes defaults where the environment says nothing, or says it with an empty string', () => {
    expect(loadConfig(sections, { RAG_TOP_K: '' })).toEqual({
      rag: { topK: 8, rerank: 'no' },
      server: { port: 3000 },
      key: {},
    });
  });

  it('derives the name of a variable from prefix and key', () => {
    const config = loadConfig(sections, { RAG_TOP_K: '5', PORT: '8080', RAG_RERANK: 'yes' });
    expect(config.rag).toEqual({ topK: 5, rerank: 'yes' });
    expect(config.server.port).toBe(8080);
  });

  it('names every bad variable at once and never repeats a value', () => {
    const load = () => loadConfig(sections, { RAG_TOP_K: '500', PORT: 'eighty', OPENAI_API_KEY: 'sk-12' });
    expect(load).toThrow(InvalidConfiguration);
    expect(load).toThrow(/RAG_TOP_K[^]*PORT[^]*OPENAI_API_KEY/);
    expect(load).not.toThrow(/sk-12|eighty/);
  });

  it('refuses a value that is not among those there are', () => {
    expect(() => loadConfig(sections, { RAG_RERANK: 'maybe' })).toThrow(/RAG_RERANK/);
  });

  it('cannot be changed after it was read', () => {
    const config = loadConfig(sections, {});
    expect(() => Object.assign(config.rag, { topK: 1 })).toThrow(TypeError);
  });

  it('writes an example file with every variable, its description and its default', () => {
    expect(envExample(sections)).toBe(
      [
        '# Passages that are read.\n# RAG_TOP_K=8\n',
        '# Whether to rerank.\n# RAG_RERANK=no\n',
        '# TCP port.\n# PORT=3000\n',
        '# The key.\n# OPENAI_API_KEY=\n',
      ].join('\n'),
    );
  });
});
