import { Caches } from '#libs/cache';
import type { Answer, AnswerRequest, Citation } from './answer.js';
import { AnswerCache, type KeptAnswer, stillHolds } from './answer-cache.js';

const REQUEST: AnswerRequest = {
  reader: { tenantId: 'tenant-1', userId: 'user-1' },
  question: 'What is the deductible?',
};
const SETTINGS = { answerTtlSeconds: 600, staleAnswerSeconds: 86_400 };

const citing = (...documentIds: string[]): Citation[] =>
  documentIds.map((documentId, index) => ({
    marker: index + 1,
    documentId,
    documentTitle: 'Gold Plan',
    passageId: `passage of ${documentId}`,
    page: 2,
    box: { x: 0.1, y: 0.1, width: 0.5, height: 0.1 },
    quote: '$500',
    sourceStart: 0,
    sourceEnd: 4,
    answerStart: 0,
    answerEnd: 4,
  }));

const answer = (citations: Citation[]): Answer => ({
  text: '$500',
  notInDocuments: citations.length === 0,
  grounding: 0.9,
  citations,
  servedBy: 'openai:a',
  serviceLevel: 'full',
  degradations: [],
  usage: { inputTokens: 10, outputTokens: 5 },
  timings: { retrieveMs: 1, generateMs: 2, totalMs: 3 },
  pendingDocumentIds: [],
});

const kept = (fingerprint: string, documentIds = ['one', 'two']): Omit<KeptAnswer, 'asOf'> => ({
  answer: answer(citing(...documentIds)),
  results: [
    { passageId: 'p', documentId: 'one', documentTitle: 'Gold Plan', headingPath: ['Costs'], page: null },
  ],
  fingerprint,
  cited: documentIds.map((documentId, index) => ({ documentId, version: index + 1 })),
});

describe('answers that are kept', () => {
  const now = Date.now;
  afterEach(() => {
    Date.now = now;
  });
  const cacheOf = (caches = Caches.inMemory(), settings = SETTINGS, models = ['openai:a']) =>
    AnswerCache.on(caches, settings, models);

  it('come back whole, with the time they were written at', async () => {
    const cache = cacheOf();
    await cache.save(REQUEST, kept('1'));
    const found = await cache.findFresh(REQUEST, '1');
    expect(found).toEqual({ ...kept('1'), asOf: expect.any(String) });
    expect(Date.parse(found!.asOf)).toBeLessThanOrEqual(Date.now());
  });

  it('are fresh for the same documents only, and last ones whatever the documents are now', async () => {
    const cache = cacheOf();
    await cache.save(REQUEST, kept('1'));
    await expect(cache.findFresh(REQUEST, '2')).resolves.toBeUndefined();
    await expect(cache.findLast(REQUEST)).resolves.toMatchObject({ fingerprint: '1' });
    await cache.save(REQUEST, kept('2'));
    await expect(cache.findLast(REQUEST)).resolves.toMatchObject({ fingerprint: '2' });
    await expect(cache.findFresh(REQUEST, '1')).resolves.toBeDefined();
  });

  it('are last ones long after they were fresh, and not for ever', async () => {
    const cache = cacheOf();
    await cache.save(REQUEST, kept('1'));
    Date.now = () => now() + 700_000;
    await expect(cache.findFresh(REQUEST, '1')).resolves.toBeUndefined();
    await expect(cache.findLast(REQUEST)).resolves.toBeDefined();
    Date.now = () => now() + 96_000_000;
    await expect(cache.findLast(REQUEST)).resolves.toBeUndefined();
  });

  it.each<[string, Partial<AnswerRequest>]>([
    ['another tenant', { reader: { tenantId: 'tenant-2', userId: 'user-1' } }],
    ['another reader of the tenant', { reader: { tenantId: 'tenant-1', userId: 'user-2' } }],
    ['another question', { question: 'What is the copay?' }],
    ['a selection of documents', { documentIds: ['one'] }],
    ['a collection', { collection: 'home' }],
    ['a tag', { tags: ['home'] }],
  ])('are not for %s, neither fresh nor last', async (_, change) => {
    const cache = cacheOf();
    await cache.save(REQUEST, kept('1'));
    await expect(cache.findFresh({ ...REQUEST, ...change }, '1')).resolves.toBeUndefined();
    await expect(cache.findLast({ ...REQUEST, ...change })).resolves.toBeUndefined();
  });

  it('are not for other models', async () => {
    const caches = Caches.inMemory();
    await cacheOf(caches).save(REQUEST, kept('1'));
    await expect(cacheOf(caches, SETTINGS, ['openai:b']).findLast(REQUEST)).resolves.toBeUndefined();
  });

  it('take no notice of spaces, letter case and the order of what was selected', async () => {
    const cache = cacheOf();
    await cache.save({ ...REQUEST, documentIds: ['a', 'b'], tags: ['x', 'y'] }, kept('1'));
    const again = {
      ...REQUEST,
      question: '  what is\nthe DEDUCTIBLE? ',
      documentIds: ['b', 'a', 'b'],
      tags: ['y', 'x'],
    };
    await expect(cache.findFresh(again, '1')).resolves.toBeDefined();
    await expect(cache.findLast(again)).resolves.toBeDefined();
  });

  it('are forgotten as last ones when told so', async () => {
    const cache = cacheOf();
    await cache.save(REQUEST, kept('1'));
    await cache.forgetLast(REQUEST);
    await expect(cache.findLast(REQUEST)).resolves.toBeUndefined();
  });

  it('are not kept as last ones where that is turned off', async () => {
    const cache = cacheOf(Caches.inMemory(), { ...SETTINGS, staleAnswerSeconds: 0 });
    await cache.save(REQUEST, kept('1'));
    await expect(cache.findLast(REQUEST)).resolves.toBeUndefined();
    await expect(cache.findFresh(REQUEST, '1')).resolves.toBeDefined();
  });

  it('do not count when they have another shape', async () => {
    const cache = cacheOf();
    const broken = { ...kept('1'), answer: { ...answer([]), citations: [{ marker: 'one' }] } };
    await cache.save(REQUEST, broken as never);
    await expect(cache.findFresh(REQUEST, '1')).resolves.toBeUndefined();
    await expect(cache.findLast(REQUEST)).resolves.toBeUndefined();
  });
});

describe('whether a last answer still holds', () => {
  const last = { ...kept('1'), asOf: '2026-01-01T00:00:00.000Z' };
  const holds = (given: KeptAnswer, fingerprint: string, visible: Record<string, number>) =>
    stillHolds(given, { fingerprint, visible: new Map(Object.entries(visible)) });

  it('does when nothing has changed at all', () => {
    expect(holds(last, '1', {})).toBe(true);
  });

  it('does when every document that it cites is still seen in the same version', () => {
    expect(holds(last, '2', { one: 1, two: 2 })).toBe(true);
  });

  it.each<[string, Record<string, number>]>([
    ['one of them is gone or hidden from the reader', { one: 1 }],
    ['one of them has changed', { one: 1, two: 3 }],
    ['all are gone', {}],
  ])('does not when %s', (_, visible) => {
    expect(holds(last, '2', visible)).toBe(false);
  });

  it('does not when a citation is not among the versions that were kept', () => {
    expect(holds({ ...last, cited: last.cited.slice(1) }, '2', { one: 1, two: 2 })).toBe(false);
  });

  it('does not when it says that the documents do not tell, because a new one might', () => {
    const none = { ...last, answer: answer([]), cited: [] };
    expect(holds(none, '2', {})).toBe(false);
    expect(holds(none, '1', {})).toBe(true);
  });
});
