import { FatalFailure, Overloaded } from '#libs/errors';
import { VectorOriginStore } from '../../apps/api/src/rag/passages/vectors/vector-origin.store.js';
import { EmbedderMisbehaved } from '../../apps/api/src/rag/providers/checked-vectors.js';
import { OpenAiEmbedder } from '../../apps/api/src/rag/providers/openai.embedder.js';
import {
  ContextTooLong,
  ModelRejected,
  ProviderFailure,
  reasonOf,
} from '../../apps/api/src/rag/providers/provider-failure.js';
import { type EmbeddingFailure, FakeModelServer } from '../support/fake-model-server.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

let server: FakeModelServer;
let db: TestDatabase;
let names = 0;
beforeAll(async () => {
  server = await FakeModelServer.start();
  db = await testDatabase();
});
afterAll(async () => {
  await db.close();
  await server.close();
});
beforeEach(() => server.embed({}));

/** Of a model of its own, unless it is named, so that tests do not share its origin. */
const embedder = (encoding: 'float' | 'base64', model = `e${++names}`) =>
  new OpenAiEmbedder(
    {
      provider: 'openai',
      model,
      dimensions: 32,
      baseUrl: `${server.url}/v1`,
      apiKey: 'key',
      sendsDimensions: true,
      encoding,
    },
    new VectorOriginStore(db.tenantDb),
  );

const signal = new AbortController().signal;
const TEXTS = ['The deductible is $500.', 'Emergency room care', 'Is my dog covered?'];
const lengthOf = (vector: Float32Array) => Math.hypot(...vector);

describe.each(['float', 'base64'] as const)('an embedder behind OpenAI’s protocol, in %s', (encoding) => {
  const failing = async (failure: EmbeddingFailure, more = {}) => {
    server.embed({ failure, ...more });
    return embedder(encoding)
      .embed(TEXTS, signal)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  };

  it('gives a vector of length 1 for each text, in order', async () => {
    const vectors = await embedder(encoding, 'steady').embed(TEXTS, signal);
    expect(vectors.map((vector) => vector.length)).toEqual([32, 32, 32]);
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 5);
    server.embed({ failure: 'reordered' });
    expect(await embedder(encoding, 'steady').embed(TEXTS, signal)).toEqual(vectors);
    const [alone] = await embedder(encoding, 'steady').embed([TEXTS[1]!], signal);
    expect(alone).toEqual(vectors[1]);
  });

  it('asks for as many at once as a provider takes', async () => {
    const before = server.embeddingCalls.length;
    const many = Array.from({ length: 300 }, (_, i) => `text ${i}`);
    const vectors = await embedder(encoding).embed(many, signal);
    expect(vectors).toHaveLength(300);
    const calls = server.embeddingCalls.slice(before);
    expect(calls.map(({ input }) => input.length)).toEqual([128, 128, 44]);
    expect(calls[0]).toMatchObject({ dimensions: 32, encoding_format: encoding });
  });

  it.each<[EmbeddingFailure, string]>([
    ['wrong-dimension', 'wrong-dimension'],
    ['nan', 'not-finite'],
    ['zero', 'zero'],
    ['fewer', 'wrong-count'],
    ['same-index', 'wrong-order'],
  ])('takes nothing of an answer that is wrong: %s', async (failure, reason) => {
    const error = await failing(failure);
    expect(error).toBeInstanceOf(EmbedderMisbehaved);
    expect((error as EmbedderMisbehaved).reason).toBe(reason);
  });

  it.each<[EmbeddingFailure, string]>([
    ['garbage', 'malformed'],
    ['html', 'wrong-content-type'],
    ['redirect', 'redirected'],
    ['reset', 'connection'],
  ])('calls "%s" a failure', async (failure, reason) => {
    const error = await failing(failure);
    expect(error).toBeInstanceOf(ProviderFailure);
    expect(reasonOf(error)).toBe(reason);
  });

  it('tells overload, fatal failures and refused texts apart', async () => {
    const overloaded = await failing('status', { status: 429, retryAfter: '2' });
    expect(overloaded).toBeInstanceOf(Overloaded);
    expect((overloaded as Overloaded).retryAfterMs).toBe(2_000);
    expect(await failing('status', { status: 401 })).toBeInstanceOf(FatalFailure);
    expect(await failing('status', { status: 500 })).toBeInstanceOf(ProviderFailure);
    expect(await failing('poisoned', { poison: 'dog' })).toBeInstanceOf(ModelRejected);
    expect(await failing('status', { status: 400, code: 'context_length_exceeded' })).toBeInstanceOf(
      ContextTooLong,
    );
  });

  it('hangs up when its caller leaves', async () => {
    const caller = new AbortController();
    const reason = new Error('the client left');
    const left = server.clientLeft();
    server.embed(() => {
      caller.abort(reason);
      return { failure: 'hang' };
    });
    await expect(embedder(encoding).embed(TEXTS, caller.signal)).rejects.toBe(reason);
    await left;
  });
});

describe('an embedder behind whose name another model appears', () => {
  const OTHER = { failure: 'other-model', model: 'something-else' } as const;

  it('is not used while it does, and is used again when it is itself', async () => {
    const ours = embedder('float', 'ours');
    const vectors = await ours.embed(TEXTS, signal);
    server.embed(OTHER);
    const changed = await ours.embed(TEXTS, signal).catch((error: unknown) => error);
    expect((changed as EmbedderMisbehaved).reason).toBe('model-changed');
    server.embed({});
    expect(await ours.embed(TEXTS, signal)).toEqual(vectors);
  });

  it('is noticed after a restart and by other replicas too', async () => {
    await embedder('float', 'known').embed(TEXTS, signal);
    server.embed(OTHER);
    await expect(embedder('float', 'known').embed(TEXTS, signal)).rejects.toMatchObject({
      reason: 'model-changed',
    });
    await embedder('float', 'new').embed(TEXTS, signal);
    server.embed({});
    await expect(embedder('float', 'new').embed(TEXTS, signal)).rejects.toMatchObject({
      reason: 'model-changed',
    });
  });

  it('becomes no origin by vectors that are wrong', async () => {
    server.embed({ failure: 'nan' });
    const ours = embedder('float', 'fresh');
    await expect(ours.embed(TEXTS, signal)).rejects.toMatchObject({ reason: 'not-finite' });
    const { rowCount } = await db.owner.query(`select from vector_origin where model like '%fresh%'`);
    expect(rowCount).toBe(0);
  });
});

describe('asking how it is', () => {
  it('costs no embedding', async () => {
    const before = server.embeddingCalls.length;
    await embedder('float').ping(signal);
    server.follow({ models: [{ failure: 'status', status: 503 }] });
    await expect(embedder('float').ping(signal)).rejects.toBeInstanceOf(Overloaded);
    server.follow({});
    expect(server.embeddingCalls.length).toBe(before);
  });
});
