import { randomUUID } from 'node:crypto';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import { QueryEmbedder, type TextCache } from '../../apps/api/src/rag/retrieval/query-embedder.js';
import type { RetrievalConfig } from '../../apps/api/src/rag/retrieval/retrieval.config.js';
import { type RetrievalRequest, Retriever } from '../../apps/api/src/rag/retrieval/retriever.js';
import { passageMaker, prose, WordEmbedder } from '../support/passages.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

type Owner = Awaited<ReturnType<TestDatabase['createTenant']>>;

const never = new AbortController().signal;
const CONFIG: RetrievalConfig = {
  similarityThreshold: 0.3,
  lexicalWeight: 0.6,
  bm25K1: 1.2,
  candidates: 100,
  embedTimeoutMs: 5_000,
};
/** Works, fails at once, or answers only when it is told to stop. */
const embedders = {
  working: () => new WordEmbedder(),
  failing: (error: Error) =>
    Object.assign(new WordEmbedder(), { embed: () => Promise.reject<Float32Array[]>(error) }),
  silent: () =>
    Object.assign(new WordEmbedder(), {
      embed: (_: readonly string[], signal: AbortSignal) =>
        new Promise<Float32Array[]>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    }),
};

describe('retrieving passages', () => {
  let db: TestDatabase;
  let make: ReturnType<typeof passageMaker>;
  let owner: Owner;

  beforeAll(async () => {
    db = await testDatabase();
    make = passageMaker(db);
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    owner = await db.createTenant();
  });

  function retriever(embedder = embedders.working(), config: Partial<RetrievalConfig> = {}) {
    const noCache: TextCache = { wrap: (_key, load, { signal }) => load(signal) };
    const policy = {
      execute: <T>(call: (signal: AbortSignal) => Promise<T>, { signal = never } = {}) => call(signal),
    };
    return new Retriever(
      db.tenantDb,
      make.passages,
      make.lexical,
      make.vectors,
      new QueryEmbedder(embedder, policy, noCache),
      { ...CONFIG, ...config },
    );
  }
  const ask = (query: string, rest: Partial<RetrievalRequest> = {}, using = retriever()) =>
    using.retrieve({ reader: owner, query, limit: 10, ...rest }, never);
  const texts = ({ hits }: Awaited<ReturnType<typeof ask>>) => hits.map(({ text }) => text);

  it('finds by words and by meaning, and says where the passage stands', async () => {
    const documentId = await make.add(
      owner,
      [
        prose('A visit to your physician costs $25.', 0, ['Benefits', 'Office']),
        'Ambulance rides are free.',
        'Claims go to the address below.',
      ],
      { title: 'Gold Plan' },
    );
    const { hits, mode, reason, timings } = await ask('doctor visit');
    expect(mode).toBe('hybrid');
    expect(reason).toBeUndefined();
    expect(hits[0]).toMatchObject({
      id: make.passageId(documentId, 0),
      documentId,
      documentTitle: 'Gold Plan',
      ordinal: 0,
      headingPath: ['Benefits', 'Office'],
      page: 1,
      lexicalScore: 1,
    });
    expect(hits[0]!.score).toBeCloseTo(1, 5);
    expect(hits[0]!.semanticScore!).toBeGreaterThan(0.3);
    expect(hits[0]).not.toHaveProperty('generation');
    expect(Object.values(timings).every((ms) => ms >= 0)).toBe(true);
  });

  it('finds what shares no word with the question, when it means the same', async () => {
    await make.add(owner, ['Your automobile is insured.', 'Glasses are not.']);
    expect(texts(await ask('car'))[0]).toBe('Your automobile is insured.');
    await expect(ask('car', { mode: 'lexical' })).resolves.toMatchObject({ hits: [], mode: 'lexical' });
  });

  it('drops what is unlike the question and shares no word with it', async () => {
    await make.add(owner, ['Your automobile is insured.', 'Glasses are not.']);
    expect(texts(await ask('car'))).toEqual(['Your automobile is insured.']);
    const lenient = retriever(embedders.working(), { similarityThreshold: 0 });
    expect(texts(await ask('car', {}, lenient))).toHaveLength(2);
    expect((await ask('quantum chromodynamics')).hits).toEqual([]);
  });

  it('finds a document by its words while it has no vectors yet, among others that have', async () => {
    await make.add(owner, ['Hospice care is covered in full.'], { semantic: false });
    await make.add(owner, ['Care of teeth is covered in part.', 'Your physician decides.']);
    const { hits, mode } = await ask('Is hospice care covered?');
    expect(mode).toBe('hybrid');
    expect(hits[0]).toMatchObject({ text: 'Hospice care is covered in full.', semanticScore: null });
    expect(hits[1]!.semanticScore).not.toBeNull();
  });

  it('uses no vector of a document before all of them are there', async () => {
    const documentId = await make.add(owner, ['Your automobile is insured.'], { semantic: false });
    await make.embed(owner, documentId, 1);
    expect((await ask('car')).hits).toEqual([]);
    await make.publishSemantic(owner, documentId, 1);
    expect(texts(await ask('car'))).toEqual(['Your automobile is insured.']);
  });

  it('never gives an older generation, not even by its vectors', async () => {
    const documentId = await make.add(owner, ['Your automobile is insured.']);
    await make.publishLexical(owner, documentId, 2, [prose('Your boat is insured.', 0)]);
    expect(texts(await ask('car insured'))).toEqual(['Your boat is insured.']);
  });

  it('looks only where it is told to', async () => {
    const a = await make.add(owner, ['hospice in plan A'], { collection: 'plans', tags: ['2026', 'gold'] });
    await make.add(owner, ['hospice in plan B'], { collection: 'plans', tags: ['2026'] });
    await make.add(owner, ['hospice in a letter'], { collection: 'letters' });
    await expect(ask('hospice').then(texts)).resolves.toHaveLength(3);
    await expect(ask('hospice', { documentIds: [a] }).then(texts)).resolves.toEqual(['hospice in plan A']);
    await expect(ask('hospice', { collection: 'letters' }).then(texts)).resolves.toEqual([
      'hospice in a letter',
    ]);
    await expect(ask('hospice', { collection: 'plans' }).then(texts)).resolves.toHaveLength(2);
    await expect(ask('hospice', { tags: ['2026', 'gold'] }).then(texts)).resolves.toEqual([
      'hospice in plan A',
    ]);
    await expect(ask('hospice', { documentIds: [randomUUID()] }).then(texts)).resolves.toEqual([]);
  });

  it('shows each reader the own documents and the shared ones, and no other tenant any', async () => {
    await make.add(owner, ['my hospice letter']);
    await make.add(owner, ['the hospice brochure'], { visibility: 'tenant' });
    const colleague = { tenantId: owner.tenantId, userId: randomUUID() };
    const stranger = await db.createTenant();
    expect(texts(await ask('hospice')).sort()).toEqual(['my hospice letter', 'the hospice brochure']);
    expect(texts(await ask('hospice', { reader: colleague }))).toEqual(['the hospice brochure']);
    expect(texts(await ask('hospice', { reader: stranger }))).toEqual([]);
  });

  it('gives no more than it is asked for, the best', async () => {
    await make.add(
      owner,
      Array.from({ length: 30 }, (_, i) => (i === 17 ? 'hospice hospice care' : `clause ${i} names hospice`)),
    );
    const { hits } = await ask('hospice care', { limit: 3 });
    expect(hits).toHaveLength(3);
    expect(hits[0]!.text).toBe('hospice hospice care');
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it('goes by the words alone when the embedder fails, and says so', async () => {
    await make.add(owner, ['Hospice care is covered.', prose('Your automobile is insured.', 1, ['Cars'])]);
    for (const [error, reason] of [
      [new DependencyUnavailable('embedder'), 'embedder-unavailable'],
      [new DependencyTimeout('embedder'), 'embedder-timeout'],
      [new Error('a bug'), 'embedder-unavailable'],
    ] as const) {
      const result = await ask('hospice', {}, retriever(embedders.failing(error)));
      expect(result).toMatchObject({ mode: 'lexical', reason });
      expect(texts(result)).toEqual(['Hospice care is covered.']);
    }
  });

  it('does not wait for an embedder that says nothing', async () => {
    await make.add(owner, ['Hospice care is covered.']);
    const impatient = retriever(embedders.silent(), { embedTimeoutMs: 20 });
    const result = await ask('hospice', {}, impatient);
    expect(result).toMatchObject({ mode: 'lexical', reason: 'embedder-timeout' });
    expect(texts(result)).toEqual(['Hospice care is covered.']);
  });

  it('stops with the reason of whoever asked for it', async () => {
    await make.add(owner, ['Hospice care is covered.']);
    const request = { reader: owner, query: 'hospice', limit: 10 };
    const before = AbortSignal.abort(new Error('left before'));
    await expect(retriever().retrieve(request, before)).rejects.toThrow('left before');
    const during = new AbortController();
    const waiting = retriever(embedders.silent()).retrieve(request, during.signal);
    during.abort(new Error('left meanwhile'));
    await expect(waiting).rejects.toThrow('left meanwhile');
  });

  it('takes any text for a question', async () => {
    await make.add(owner, ['Hospice care is covered.']);
    for (const query of [
      "'; drop table passage; --",
      '% _ \\ "',
      '🩺',
      'what is it?',
      'hospice '.repeat(500),
    ])
      await expect(ask(query)).resolves.toMatchObject({ mode: 'hybrid' });
  });
});
