import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { Queryable, SearchScope } from '../../apps/api/src/rag/passages/search-scope.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { chooseVectorIndex } from '../../apps/api/src/rag/passages/vectors/choose-index.js';
import {
  ensurePgvector,
  hasPgvector,
  PgvectorIndex,
} from '../../apps/api/src/rag/passages/vectors/pgvector.index.js';
import type { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { pgvectorDatabase } from '../support/pgvector-database.js';
import { testDatabase } from '../support/test-database.js';

const DIMENSIONS = 128;
const MODEL = 'test-model';
/** Few, so that a small test reaches the graph. */
const EXACT_UP_TO = 100;

interface Harness {
  index: VectorIndex;
  run<T>(tenantId: string, work: (tx: Queryable) => Promise<T>): Promise<T>;
  owner: Queryable;
  close(): Promise<void>;
}

const harnesses: [string, () => Promise<Harness>][] = [
  ['bitscan, on the embedded PostgreSQL', bitscanHarness],
  ['pgvector, inside the process', pgvectorHarness],
];

// PGlite compiles a whole PostgreSQL when it starts.
jest.setTimeout(120_000);

describe.each(harnesses)('the vector index %s', (_, makeHarness) => {
  let harness: Harness;
  let index: VectorIndex;
  let tenant: Tenant;

  beforeAll(async () => {
    harness = await makeHarness();
    index = harness.index;
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    tenant = await addTenant(harness.owner);
  });

  const search = (
    vector: Float32Array,
    scope: Partial<SearchScope> = {},
    { limit = 10, model = MODEL } = {},
  ) =>
    harness.run(tenant.tenantId, (tx) =>
      index.search(tx, { reader: tenant, ...scope }, { model, vector, limit }),
    );
  const add = (vectors: Float32Array[], options: Partial<NewDocument> = {}) =>
    harness.run(tenant.tenantId, (tx) => addDocument(tx, index, tenant, vectors, options));

  it('finds the most similar passages, best first, with their cosines', async () => {
    const vectors = randomVectors(60, 1);
    const documentId = await add(vectors);
    const query = randomVectors(1, 2)[0]!;
    const expected = exact(vectors, query).slice(0, 5);
    const hits = await search(query, {}, { limit: 5 });
    expect(hits.map((hit) => hit.ordinal)).toEqual(expected.map(({ ordinal }) => ordinal));
    hits.forEach((hit, i) => {
      expect(hit).toMatchObject({ documentId, generation: 1 });
      expect(Math.abs(hit.similarity - expected[i]!.similarity)).toBeLessThan(0.001);
    });
  });

  it('has at least 95 of 100 of the ten best among 480 vectors in clusters, when not all are compared', async () => {
    const vectors = clusteredVectors(480, 12, 3);
    const ids: string[] = [];
    for (const from of [0, 160, 320]) ids.push(await add(vectors.slice(from, from + 160)));
    const queries = clusteredVectors(24, 12, 3, 99);
    let found = 0;
    for (const query of queries) {
      const hits = await search(query, {}, { limit: 20 });
      const seen = new Set(hits.map(({ documentId, ordinal }) => ids.indexOf(documentId) * 160 + ordinal));
      found += exact(vectors, query)
        .slice(0, 10)
        .filter(({ ordinal }) => seen.has(ordinal)).length;
    }
    expect(found / (queries.length * 10)).toBeGreaterThanOrEqual(0.95);
  });

  it('finds all of a small document among many passages that are nearer', async () => {
    const query = randomVectors(1, 5)[0]!;
    await add(Array.from({ length: 300 }, (_, i) => near(query, 0.1, i)));
    const wanted = await add(randomVectors(8, 6));
    const hits = await search(query, { documentIds: [wanted] }, { limit: 10 });
    expect(hits.map(({ ordinal }) => ordinal).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(hits.map(({ documentId }) => documentId))).toEqual(new Set([wanted]));
  });

  it('narrows the search to a collection and to documents with all of some tags', async () => {
    const vector = randomVectors(1, 7)[0]!;
    const plan = await add([vector], { collection: 'plans', tags: ['2026', 'dental'] });
    const letter = await add([vector], { collection: 'letters', tags: ['2026'] });
    const ids = async (scope: Partial<SearchScope>) =>
      (await search(vector, scope)).map(({ documentId }) => documentId).sort();
    await expect(ids({ collection: 'plans' })).resolves.toEqual([plan]);
    await expect(ids({ tags: ['2026'] })).resolves.toEqual([plan, letter].sort());
    await expect(ids({ tags: ['dental', '2026'] })).resolves.toEqual([plan]);
    await expect(ids({ collection: 'letters', tags: ['dental'] })).resolves.toEqual([]);
    await expect(ids({ documentIds: [] })).resolves.toEqual([]);
  });

  it('shows nobody the documents of another tenant, even by their ids', async () => {
    const vector = randomVectors(1, 8)[0]!;
    const mine = await add([vector], { visibility: 'tenant' });
    const stranger = await addTenant(harness.owner);
    const theirs = await harness.run(stranger.tenantId, (tx) =>
      addDocument(tx, index, stranger, [vector], { visibility: 'tenant' }),
    );
    await expect(search(vector)).resolves.toMatchObject([{ documentId: mine }]);
    await expect(search(vector, { documentIds: [theirs] })).resolves.toEqual([]);
    await expect(search(vector, { reader: stranger })).resolves.toEqual([]);
  });

  it('shows private documents to their owner only', async () => {
    const vector = randomVectors(1, 9)[0]!;
    const [secret, shared] = [await add([vector]), await add([vector], { visibility: 'tenant' })];
    const colleague = { tenantId: tenant.tenantId, userId: randomUUID() };
    expect((await search(vector)).map(({ documentId }) => documentId).sort()).toEqual(
      [secret, shared].sort(),
    );
    await expect(search(vector, { reader: colleague })).resolves.toMatchObject([{ documentId: shared }]);
  });

  it('sees a document only while its semantic generation is the live one', async () => {
    const vector = randomVectors(1, 10)[0]!;
    const id = await add([vector]);
    const set = (live: number | null, semantic: number | null) =>
      harness.run(tenant.tenantId, (tx) =>
        tx.query(
          `update document set live_generation = $2, semantic_generation = $3,
             embedding_model = case when $3::int is not null then $4 end, answerable =
             case when $2::int is null then 'none' when $3::int is null then 'lexical' else 'semantic' end where id = $1`,
          [id, live, semantic, MODEL],
        ),
      );
    for (const [live, semantic] of [
      [null, null],
      [1, null],
      [2, 1],
      [2, 2],
    ] as const) {
      await set(live, semantic);
      await expect(search(vector)).resolves.toEqual([]);
    }
    await set(1, 1);
    await expect(search(vector)).resolves.toHaveLength(1);
  });

  it('never compares vectors of different models', async () => {
    const vector = randomVectors(1, 11)[0]!;
    const id = await add([vector], { model: 'another-model' });
    await expect(search(vector)).resolves.toEqual([]);
    await expect(search(vector, {}, { model: 'another-model' })).resolves.toMatchObject([{ documentId: id }]);
  });

  it('keeps what is there when a batch is saved again', async () => {
    const [first, second] = randomVectors(2, 12);
    const documentId = await add([first!]);
    await harness.run(tenant.tenantId, (tx) =>
      index.save(tx, { tenantId: tenant.tenantId, documentId, generation: 1, model: MODEL }, [
        { ordinal: 0, vector: second! },
      ]),
    );
    const hits = await search(first!);
    expect(hits).toHaveLength(1);
    expect(hits[0]!.similarity).toBeCloseTo(1, 3);
  });

  it('compares just the passages that are named', async () => {
    const vectors = randomVectors(20, 13);
    const documentId = await add(vectors);
    const secret = await add(vectors);
    const query = randomVectors(1, 14)[0]!;
    const places = [3, 11, 500].map((ordinal) => ({ documentId, generation: 1, ordinal }));
    const hits = await harness.run(tenant.tenantId, (tx) =>
      index.compare(tx, { reader: tenant, documentIds: [documentId] }, { model: MODEL, vector: query }, [
        ...places,
        { documentId, generation: 2, ordinal: 3 },
        { documentId: secret, generation: 1, ordinal: 3 },
      ]),
    );
    expect(hits.map(({ ordinal }) => ordinal).sort((a, b) => a - b)).toEqual([3, 11]);
    for (const hit of hits) expect(hit.similarity).toBeCloseTo(dot(vectors[hit.ordinal]!, query), 3);
  });

  it('forgets the vectors of passages that are deleted, and of documents', async () => {
    const vector = randomVectors(1, 15)[0]!;
    const [kept, cut] = [await add([vector, vector]), await add([vector])];
    await harness.run(tenant.tenantId, async (tx) => {
      await tx.query(`delete from passage where document_id = $1 and ordinal = 1`, [kept]);
      await tx.query(`delete from document where id = $1`, [cut]);
    });
    await expect(search(vector)).resolves.toMatchObject([{ documentId: kept, ordinal: 0 }]);
    const rows = await harness.run(tenant.tenantId, (tx) =>
      tx.query<object[]>(`select document_id, ordinal from ${index.table}`),
    );
    expect(rows).toEqual([{ document_id: kept, ordinal: 0 }]);
  });
});

describe('vectors of the sizes that embedders have', () => {
  const sizesOf: [string, () => Promise<Harness>, (dimensions: number) => VectorIndex, number[]][] = [
    ['bitscan', bitscanHarness, () => new BitscanIndex(), [8, 768, 1_536, 4_096]],
    [
      'pgvector',
      pgvectorHarness,
      (dimensions) => new PgvectorIndex(dimensions, EXACT_UP_TO),
      [768, 1_536, 2_000],
    ],
  ];

  it.each(sizesOf)(
    'are stored and found by %s, of several sizes side by side',
    async (_, start, indexFor, sizes) => {
      const harness = await start();
      const tenant = await addTenant(harness.owner);
      try {
        for (const dimensions of sizes) {
          const index = indexFor(dimensions);
          if (index instanceof PgvectorIndex) await ensurePgvector(harness.owner, dimensions);
          const vectors = randomVectors(40, dimensions, dimensions);
          const query = vectors[7]!;
          const model = `m:${dimensions}`;
          const hits = await harness.run(tenant.tenantId, async (tx) => {
            await addDocument(tx, index, tenant, vectors, { model });
            return index.search(tx, { reader: tenant }, { model, vector: query, limit: 3 });
          });
          expect(hits[0]).toMatchObject({ ordinal: 7 });
          expect(hits[0]!.similarity).toBeCloseTo(1, 2);
        }
      } finally {
        await harness.close();
      }
    },
  );

  it('are left to bitscan when they are too large for the graph of pgvector', async () => {
    const { owner, close } = await pgvectorHarness();
    try {
      expect((await chooseVectorIndex(owner, DIMENSIONS)).name).toBe('pgvector');
      expect((await chooseVectorIndex(owner, 2_001)).name).toBe('bitscan');
    } finally {
      await close();
    }
  });
});

describe('choosing the vector index', () => {
  it('does without pgvector where the server does not offer it', async () => {
    const { owner, close } = await bitscanHarness();
    try {
      await expect(ensurePgvector(owner, DIMENSIONS)).resolves.toBe(false);
      await expect(hasPgvector(owner, DIMENSIONS)).resolves.toBe(false);
    } finally {
      await close();
    }
  });

  it('prepares pgvector as often as it is asked to', async () => {
    const { owner, close } = await pgvectorHarness();
    try {
      await expect(ensurePgvector(owner, DIMENSIONS)).resolves.toBe(true);
      await expect(hasPgvector(owner, DIMENSIONS)).resolves.toBe(true);
      await expect(hasPgvector(owner, 384)).resolves.toBe(false);
    } finally {
      await close();
    }
  });
});

interface Tenant {
  tenantId: string;
  userId: string;
}

interface NewDocument {
  visibility: 'private' | 'tenant';
  collection: string | null;
  tags: string[];
  model: string;
}

async function bitscanHarness(): Promise<Harness> {
  const db = await testDatabase();
  return {
    index: new BitscanIndex(),
    run: (tenantId, work) => db.tenantDb.run(tenantId, work),
    owner: { query: async (sql, parameters) => (await db.owner.query(sql, parameters)).rows as never },
    close: () => db.close(),
  };
}

async function pgvectorHarness(): Promise<Harness> {
  return { index: new PgvectorIndex(DIMENSIONS, EXACT_UP_TO), ...(await pgvectorDatabase(DIMENSIONS)) };
}

async function addTenant(owner: Queryable): Promise<Tenant> {
  const [tenantId, userId] = [randomUUID(), randomUUID()];
  await owner.query(`insert into tenant (tenant_id, name) values ($1, $2)`, [tenantId, `t-${tenantId}`]);
  await owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'admin')`,
    [tenantId, userId, `${userId}@example.com`],
  );
  return { tenantId, userId };
}

async function addDocument(
  tx: Queryable,
  index: VectorIndex,
  { tenantId, userId }: Tenant,
  vectors: Float32Array[],
  { visibility = 'private', collection = null, tags = [], model = MODEL }: Partial<NewDocument>,
): Promise<string> {
  const id = randomUUID();
  await tx.query(
    `insert into document (tenant_id, id, owner_id, visibility, collection, tags, title, filename, media_type,
                           size_bytes, sha256, answerable, live_generation, semantic_generation, passage_count,
                           embedding_model)
     values ($1, $2, $3, $4, $5, $6, 'title', 'file.txt', 'text/plain', 1, sha256($7), 'semantic', 1, 1, $8, $9)`,
    [tenantId, id, userId, visibility, collection, tags, Buffer.from(id), vectors.length, model],
  );
  await tx.query(
    `insert into passage (tenant_id, document_id, generation, ordinal, id, kind, text)
     select $1, $2, 1, ordinal, gen_random_uuid(), 'prose', 'text' from generate_series(0, $3::int - 1) ordinal`,
    [tenantId, id, vectors.length],
  );
  const rows = vectors.map((vector, ordinal) => ({ ordinal, vector }));
  for (let at = 0; at < rows.length; at += 500)
    await index.save(tx, { tenantId, documentId: id, generation: 1, model }, rows.slice(at, at + 500));
  return id;
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

const exact = (vectors: Float32Array[], query: Float32Array) =>
  vectors
    .map((vector, ordinal) => ({ ordinal, similarity: dot(vector, query) }))
    .sort((a, b) => b.similarity - a.similarity);

/** The same numbers in every run, -1 to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed * 7_919;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function unit(values: number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (x) => x / length);
}

function randomVectors(count: number, seed: number, dimensions = DIMENSIONS): Float32Array[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => unit(Array.from({ length: dimensions }, random)));
}

function near(center: Float32Array, spread: number, seed: number): Float32Array {
  const noise = randomVectors(1, 1_000 + seed)[0]!;
  return unit(Array.from(center, (x, i) => x + spread * noise[i]!));
}

/** As embeddings lie: in clusters. */
function clusteredVectors(count: number, clusters: number, seed: number, offset = 0): Float32Array[] {
  const centers = randomVectors(clusters, seed);
  return Array.from({ length: count }, (_, i) => near(centers[i % clusters]!, 0.8, offset * 10_000 + i));
}
