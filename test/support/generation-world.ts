import { gunzipSync, gzipSync } from 'node:zlib';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { LegalHolds } from '#libs/audit';
import { Caches } from '#libs/cache';
import { TenantDb } from '#libs/database';
import { Pressure } from '#libs/http';
import { PolicyRegistry } from '#libs/resilience';
import { sections } from '../../apps/api/src/app.config.js';
import { type ExtractedPart, Extractor } from '../../apps/api/src/ingestion/extraction/extractor.js';
import { Extractors } from '../../apps/api/src/ingestion/extraction/extractors.js';
import { SourceFiles } from '../../apps/api/src/ingestion/extraction/source-files.js';
import { generationSection } from '../../apps/api/src/ingestion/generations/generations.config.js';
import { IngestionModule, workerSection } from '../../apps/api/src/ingestion/index.js';
import { SandboxedParser } from '../../apps/api/src/ingestion/parsing/index.js';
import {
  type StructureOptions,
  type StructureState,
  structurePart,
} from '../../apps/api/src/ingestion/passages/structure-part.js';
import { gateSection } from '../../apps/api/src/ingestion/workflow/gates/index.js';
import { ReceiveStage } from '../../apps/api/src/ingestion/workflow/stages/receive.stage.js';
import {
  DeletedDocuments,
  Embedder,
  PassageStore,
  Retriever,
  StructuredReader,
  Withdrawals,
} from '../../apps/api/src/rag/index.js';
import { LexicalIndex } from '../../apps/api/src/rag/passages/lexical/lexical.index.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { QueryEmbedder } from '../../apps/api/src/rag/retrieval/query-embedder.js';
import { gateConfig, workerConfig } from './documents.js';
import { WordEmbedder } from './passages.js';
import type { TestDatabase } from './test-database.js';

const PARTS = 3;

/** A document of which every passage says in which edition it stands, read and cut without another process. */
export class Book extends Extractor {
  edition = 'alpha';
  /** In each part. */
  paragraphs = 12;
  reads = 0;

  async plan() {
    const ranges = Array.from({ length: PARTS }, (_, i) => ({ from: i + 1, to: i + 1 }));
    const nature = { mediaType: 'text/plain', format: 'text' as const, title: null, pageCount: PARTS };
    return { ...nature, durationMs: null, unit: 'pages' as const, parts: ranges };
  }

  async read(_file: unknown, _plan: unknown, { from }: { from: number }): Promise<ExtractedPart> {
    this.reads += 1;
    const blocks = Array.from({ length: this.paragraphs }, (_, i) => ({
      ...{ kind: 'paragraph' as const, page: from, box: null },
      text: `Edition ${this.edition}: the plan pays for care of ${wordsOf(from * 1_000 + i)}.`,
    }));
    return { blocks, warnings: [] };
  }

  get passages(): number {
    return PARTS * this.paragraphs;
  }
}

/** Sixty words that no other paragraph has: long enough for a passage, and for vectors that differ. */
const wordsOf = (seed: number) =>
  Array.from({ length: 60 }, (_, i) => ((seed * 60 + i) * 7_919).toString(26).replace(/\d/g, 'q')).join(' ');

/** What a parser process does. */
const parser = {
  async structure(state: Buffer | null, part: Buffer, options: StructureOptions) {
    const read = <T>(packed: Buffer) => JSON.parse(gunzipSync(packed).toString()) as T;
    const step = structurePart(state && read<StructureState>(state), read(part), options);
    const next = gzipSync(JSON.stringify(step.state));
    return { batches: step.batches, state: next, passages: step.state.maker.ordinal, language: 'en' };
  },
};

/** All providers of the ingestion. Nothing runs by itself: a test takes the jobs and carries out the orders. */
export async function generationWorld(
  db: TestDatabase,
  {
    retentionHours = 72,
    embedder = new WordEmbedder(),
    previous,
  }: { retentionHours?: number; embedder?: Embedder; previous?: Embedder } = {},
) {
  const book = new Book();
  const policies = new PolicyRegistry();
  for (const name of ['parser', 'transcriber', 'ocr', 'blob-store', 'webhook', 'import', 'embedder'])
    policies.define(name, { attemptTimeoutMs: 60_000 });
  const values: [unknown, unknown][] = [
    [TenantDb, db.tenantDb],
    ['APP_DATABASE_URL', db.appUrl],
    ['DATA_DIR', '/nowhere'],
    ...Object.values(sections).map(({ token, schema }): [unknown, unknown] => [token, schema.parse({})]),
    [gateSection.token, gateConfig],
    [workerSection.token, workerConfig()],
    [generationSection.token, { retentionHours }],
    [PolicyRegistry, policies],
    [Pressure, { sheds: () => false }],
    [Embedder, embedder],
    [StructuredReader, {}],
    [DeletedDocuments, DeletedDocuments.on(Caches.inMemory(), { staleAnswerSeconds: 60 })],
    [Withdrawals, Withdrawals.on(Caches.inMemory(), { staleAnswerSeconds: 60 })],
  ];
  const providers = [
    ...values.map(([provide, useValue]) => ({ provide: provide as string, useValue })),
    { provide: VectorIndex, useClass: BitscanIndex },
    LexicalIndex,
    PassageStore,
    LegalHolds,
  ];
  @Module({ providers, exports: providers })
  class Surroundings {}
  const file = { path: '/nowhere', filename: 'a.txt', mediaType: 'text/plain', sizeBytes: 1 };
  const module = await Test.createTestingModule({
    imports: [{ module: Surroundings, global: true }, IngestionModule.register({ http: true, worker: true })],
  })
    .overrideProvider(Extractors)
    .useValue(new Extractors(book))
    .overrideProvider(SandboxedParser)
    .useValue(parser)
    .overrideProvider(SourceFiles)
    .useValue({ find: async () => file })
    .overrideProvider(ReceiveStage)
    .useValue({ run: async () => ({}) })
    .compile();
  module.useLogger(false);
  return { module, book, retriever: retrieverOf(db, module, embedder, previous) };
}

function retrieverOf(
  db: TestDatabase,
  module: TestingModule,
  embedder: Embedder,
  previous?: Embedder,
): Retriever {
  const get = <T>(type: abstract new (...args: never[]) => T) => module.get<T>(type, { strict: false });
  const signal = new AbortController().signal;
  const direct = { execute: <T>(call: (signal: AbortSignal) => Promise<T>) => call(signal) };
  const ofQueries = (one: Embedder) => new QueryEmbedder(one, direct, { wrap: (_key, load) => load(signal) });
  const vectors = get(VectorIndex);
  return new Retriever(
    db.tenantDb,
    get(PassageStore),
    get(LexicalIndex),
    vectors,
    ofQueries(embedder),
    { ...sections.retrieval.schema.parse({}), candidates: 500 },
    undefined,
    previous && { embedder: ofQueries(previous), vectors },
  );
}
