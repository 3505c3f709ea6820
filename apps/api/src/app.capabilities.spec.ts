import { DegradationManager, PolicyRegistry } from '#libs/resilience';
import { defineCapabilities, noteRefusedWrite } from './app.capabilities.js';

const POLICIES = [
  'postgres',
  'password-hashing',
  'embedder',
  'blob-store',
  'parser',
  'transcriber',
  'ocr',
  'scanner',
  'quota-store',
];

function world() {
  const policies = new PolicyRegistry();
  for (const name of POLICIES) policies.define(name, { attemptTimeoutMs: 1_000 });
  const capabilities = defineCapabilities(policies);
  const isolate = (name: string) =>
    policies.override(name, {
      mode: 'isolated',
      by: 'a test',
      reason: 'to see',
      expiresAt: new Date(Date.now() + 60_000),
    });
  const levels = () => Object.fromEntries(capabilities.list().map((each) => [each.capability, each.level]));
  return { capabilities, isolate, levels };
}

describe('the capabilities', () => {
  it('are full while every dependency works', () => {
    expect(new Set(Object.values(world().levels()))).toEqual(new Set(['full']));
  });

  it('lose only what needs the embedder when the embedder is away', () => {
    const { isolate, levels } = world();
    isolate('embedder');
    expect(levels()).toMatchObject({
      'retrieve.semantic': 'degraded',
      'retrieve.lexical': 'full',
      'ingest.accept': 'full',
      'ingest.process': 'degraded',
    });
  });

  it('let nobody log in without the database, and say why', () => {
    const { capabilities, isolate, levels } = world();
    isolate('postgres');
    expect(levels()).toMatchObject({
      'auth.verify': 'degraded',
      'auth.login': 'unavailable',
      'ingest.accept': 'unavailable',
      'audit.write': 'degraded',
    });
    expect(capabilities.get('auth.login').current().reasons).toEqual(['postgres: isolated']);
  });

  it('keep what only reads when the database refuses a write', () => {
    const { capabilities, levels } = world();
    capabilities.define(new DegradationManager('answer.generate'));
    noteRefusedWrite(capabilities, 'postgres: storage-full');
    expect(levels()).toMatchObject({
      'ingest.accept': 'unavailable',
      'retrieve.semantic': 'full',
      'audit.query': 'full',
      'audit.write': 'degraded',
    });
  });
});
