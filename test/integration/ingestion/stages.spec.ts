import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { LegalHolds } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { TransientFailure } from '#libs/errors';
import { Pressure } from '#libs/http';
import { Caches } from '#libs/cache';
import { PolicyRegistry } from '#libs/resilience';
import { BlobStore } from '../../../apps/api/src/ingestion/blobs/blob.store.js';
import { type DocumentBody, toDocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentsService } from '../../../apps/api/src/ingestion/documents/documents.service.js';
import { ProcessingService } from '../../../apps/api/src/ingestion/documents/processing.service.js';
import { gateSection } from '../../../apps/api/src/ingestion/workflow/gates/index.js';
import { sections } from '../../../apps/api/src/app.config.js';
import { IngestionModule, workerSection } from '../../../apps/api/src/ingestion/index.js';
import { IngestionNotifications } from '../../../apps/api/src/ingestion/jobs/notifications.js';
import { UploadService } from '../../../apps/api/src/ingestion/uploads/upload.service.js';
import {
  Embedder,
  EmbedderMisbehaved,
  ModelRejected,
  DeletedDocuments,
  PassageStore,
  StructuredReader,
  Withdrawals,
} from '../../../apps/api/src/rag/index.js';
import { LexicalIndex } from '../../../apps/api/src/rag/passages/lexical/lexical.index.js';
import { BitscanIndex } from '../../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { VectorIndex } from '../../../apps/api/src/rag/passages/vectors/vector-index.js';
import { planText } from '../../../bench/plan-text.js';
import { gateConfig, type Owner, workerConfig } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

// Parser processes and many steps: seconds on a busy machine.
jest.setTimeout(30_000);

/** The whole ingestion, with the real parser; only the embedding model is a fake, so that it can be stopped. */
let db: TestDatabase;
let dataDir: string;
let module: TestingModule;
let embedder: FakeEmbedder;
let principal: Principal;

class FakeEmbedder extends Embedder {
  readonly model = 'fake';
  readonly dimensions = 8;
  readonly embedded: string[] = [];
  /** Called before each batch. */
  beforeBatch: (batch: number) => Promise<void> = async () => undefined;
  private batches = 0;

  /** Texts with this in them are refused, and with them all that are asked for at the same time. */
  refused?: RegExp;
  calls = 0;

  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    this.calls += 1;
    await this.beforeBatch((this.batches += 1));
    if (texts.some((text) => this.refused?.test(text))) throw new ModelRejected('fake', '400');
    this.embedded.push(...texts);
    return texts.map((text) => {
      const bytes = createHash('sha256').update(text).digest().subarray(0, this.dimensions);
      const vector = Float32Array.from(bytes, (byte) => byte - 127.5);
      const length = Math.hypot(...vector);
      return vector.map((value) => value / length);
    });
  }
}

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'navigator-stages-'));
  embedder = new FakeEmbedder();
  await db.owner.query('delete from document');
  principal = principalOf(await db.createTenant());
  module = await start();
});
afterEach(async () => {
  await module.close();
  await rm(dataDir, { recursive: true, force: true });
});

const principalOf = (owner: Owner): Principal => ({
  ...owner,
  role: 'member',
  via: 'session',
  credentialId: 'test',
});

async function start({ worker = true } = {}): Promise<TestingModule> {
  const policies = new PolicyRegistry();
  for (const name of ['parser', 'transcriber', 'ocr', 'blob-store', 'webhook', 'import'])
    policies.define(name, { attemptTimeoutMs: 60_000 });
  policies.define('embedder', {
    attemptTimeoutMs: 10_000,
    bulkhead: { concurrency: 8, queue: 8 },
  });
  const providers = [
    { provide: TenantDb, useValue: db.tenantDb },
    { provide: 'APP_DATABASE_URL', useValue: db.appUrl },
    { provide: 'DATA_DIR', useValue: dataDir },
    // Every setting as it comes, but for what the test says.
    ...Object.values(sections).map(({ token, schema }) => ({ provide: token, useValue: schema.parse({}) })),
    { provide: gateSection.token, useValue: gateConfig },
    { provide: workerSection.token, useValue: workerConfig({ pollMs: 100 }) },
    { provide: PolicyRegistry, useValue: policies },
    { provide: Pressure, useValue: { sheds: () => false } },
    { provide: Embedder, useValue: embedder },
    { provide: StructuredReader, useValue: {} },
    { provide: VectorIndex, useClass: BitscanIndex },
    LexicalIndex,
    PassageStore,
    LegalHolds,
    {
      provide: DeletedDocuments,
      useValue: DeletedDocuments.on(Caches.inMemory(), { staleAnswerSeconds: 60 }),
    },
    { provide: Withdrawals, useValue: Withdrawals.on(Caches.inMemory(), { staleAnswerSeconds: 60 }) },
  ];
  @Module({ providers, exports: providers })
  class Surroundings {}
  const compiled = await Test.createTestingModule({
    imports: [{ module: Surroundings, global: true }, IngestionModule.register({ http: true, worker })],
  }).compile();
  compiled.useLogger(false);
  return compiled.init();
}

async function upload(content: string | Buffer, filename = 'plan.md'): Promise<string> {
  const uploads = module.get(UploadService, { strict: false });
  const signal = new AbortController().signal;
  async function* file() {
    yield Buffer.from(content);
  }
  const received = await uploads.receive(principal, { file: file(), filename, mimetype: '' }, signal);
  const fields = { tags: [], visibility: 'private' as const };
  const { document } = await uploads.accept(principal, { fields, filename, content: received }, undefined);
  return document.id;
}

/** Waits until the document is as the test wants it. */
async function until(id: string, matches: (document: DocumentBody) => boolean): Promise<DocumentBody> {
  const notifications = module.get(IngestionNotifications, { strict: false });
  const documents = module.get(DocumentsService, { strict: false });
  for (;;) {
    const changed = notifications.documentChanged(id, 100, new AbortController().signal);
    const document = toDocumentBody(await documents.get(principal, id));
    if (matches(document)) return document;
    await changed;
  }
}

const settled = (id: string) => until(id, ({ status }) => status === 'ready' || status === 'failed');
const passagesOf = async (id: string) =>
  (await module.get(DocumentsService, { strict: false }).listPassages(principal, id, { limit: 100 })).items;
const rowsOf = async (table: string) => (await db.owner.query(`select from ${table}`)).rowCount;

describe('the way of a document', () => {
  it('ends with all its passages and vectors, an assessment, and nothing left over', async () => {
    const id = await upload(planText(1, 20));
    const document = await settled(id);
    expect(document).toMatchObject({
      status: 'ready',
      answerable: 'semantic',
      percent: 100,
      passages: 20,
      reason: null,
      media_type: 'text/markdown',
      assessment: { passages: 20, language: 'en', garbled_ratio: 0, pages_without_text: [] },
    });
    expect(document.stages.map(({ name, status, attempts }) => ({ name, status, attempts }))).toEqual(
      ['receive', 'extract', 'structure', 'embed', 'assess', 'publish'].map((name) => ({
        name,
        status: 'done',
        attempts: 1,
      })),
    );
    for (const stage of document.stages) expect(stage.duration_ms).toBeGreaterThanOrEqual(0);
    expect((await passagesOf(id)).map((passage) => passage.ordinal)).toEqual([...Array(20).keys()]);
    expect(await rowsOf('passage_vector')).toBe(20);
    expect((await db.owner.query('select from job_stage where result is not null')).rowCount).toBe(0);
  });

  it('is answerable by its words before it has a vector, and its percentage grows with its batches', async () => {
    const hold = Promise.withResolvers<void>();
    embedder.beforeBatch = async (batch) => (batch === 2 ? hold.promise : undefined);
    const id = await upload(planText(2, 40));
    const lexical = await until(id, ({ percent }) => percent > 40);
    expect(lexical).toMatchObject({ status: 'processing', answerable: 'lexical', passages: 40 });
    expect(await passagesOf(id)).toHaveLength(40);
    hold.resolve();
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic', percent: 100 });
  });

  it.each([
    ['libreoffice-writer-password.pdf', 'password-protected'],
    ['PDFBOX-3148-2-fuzzed.pdf', undefined],
  ])('of the public file %s ends in a clear state', async (name, code) => {
    const content = await readFile(join('../shared/data/documents/pdf', name)).catch(() => undefined);
    if (!content) return console.warn(`skipped: ${name} is not there`);
    const { status, reason } = await settled(await upload(content, name));
    expect(['ready', 'failed']).toContain(status);
    if (code) expect(reason).toMatchObject({ code });
  });

  it('ends with a reason when the file cannot be read', async () => {
    const id = await upload('%PDF-1.7\nthis is no PDF', 'plan.pdf');
    const { status, reason, stages, answerable } = await settled(id);
    expect({ status, code: reason?.code, answerable }).toEqual({
      status: 'failed',
      code: 'corrupt-file',
      answerable: 'none',
    });
    expect(stages.find((stage) => stage.name === 'extract')).toMatchObject({ status: 'failed', attempts: 1 });
  });

  it('ends with a reason when there is nothing to read in it', async () => {
    expect((await settled(await upload('\n \n', 'blank.txt'))).reason).toMatchObject({ code: 'no-text' });
  });
});

describe('a document whose file', () => {
  /** Takes the upload's file away, or changes it, before a worker looks at it. */
  async function tampered(tamper: (path: string) => Promise<void>): Promise<DocumentBody> {
    await module.close();
    module = await start({ worker: false });
    const id = await upload(planText(3, 2));
    const [row] = (await db.owner.query('select sha256 from document where id = $1', [id])).rows;
    await tamper(await module.get(BlobStore, { strict: false }).localPath(principal.tenantId, row.sha256));
    await module.close();
    module = await start();
    return settled(id);
  }

  it('is gone from the disk fails with that reason', async () => {
    expect((await tampered((path) => rm(path))).reason).toMatchObject({ code: 'content-missing' });
  });

  it('was damaged on the disk fails with that reason, and is mended by uploading it again', async () => {
    const { id, reason } = await tampered((path) => writeFile(path, 'something else'));
    expect(reason).toMatchObject({ code: 'content-damaged' });
    expect(await upload(planText(3, 2))).toBe(id);
    expect((await settled(id)).status).toBe('ready');
  });
});

describe('embedding', () => {
  it('goes on where it was interrupted, and computes no vector twice', async () => {
    const reached = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<void>();
    embedder.beforeBatch = async (batch) => {
      if (batch !== 2) return;
      reached.resolve();
      await hold.promise;
      throw new Error('the worker was stopped');
    };
    const id = await upload(planText(4, 40));
    await reached.promise;
    const closing = module.close();
    hold.resolve();
    await closing;
    expect(embedder.embedded).toHaveLength(16);

    embedder.beforeBatch = async () => undefined;
    module = await start();
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
    expect(embedder.embedded).toHaveLength(40);
    expect(new Set(embedder.embedded).size).toBe(40);
    expect(await rowsOf('passage_vector')).toBe(40);
  });

  it('that fails again and again fails the document, which stays answerable by its words', async () => {
    embedder.beforeBatch = async () => {
      throw new Error('the model does not work');
    };
    const id = await upload(planText(5, 3));
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      answerable: 'lexical',
      reason: { code: 'attempts-exhausted' },
    });

    embedder.beforeBatch = async () => undefined;
    await module.get(ProcessingService, { strict: false }).retry(principal, id, undefined, undefined);
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic', reason: null });
  });

  it('that lacks what it needs waits for it, however long that takes', async () => {
    let failures = 0;
    embedder.beforeBatch = async () => {
      if (++failures <= 10) throw new TransientFailure('the model is away', { retryAfterMs: 10 });
    };
    const id = await upload(planText(8, 3));
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
    expect(failures).toBe(11);
  });

  it('leaves out the passages that the model refuses, finds them with few calls, and says which', async () => {
    embedder.refused = /^Section 21\n/;
    const id = await upload(planText(9, 40));
    const document = await settled(id);
    const passage = (await passagesOf(id))[20];
    expect(document).toMatchObject({
      status: 'ready',
      answerable: 'semantic',
      assessment: {
        passages: 40,
        warnings: ['passages-without-vector'],
        passages_without_vector: [passage!.id],
      },
    });
    expect(await rowsOf('passage_vector')).toBe(39);
    // Three batches of at most 16, one of them halved down to one passage.
    expect(embedder.calls).toBeLessThanOrEqual(3 + 2 * Math.log2(16));
  });

  it('does not go on when the model refuses everything; the document stays answerable by its words', async () => {
    embedder.refused = /./;
    const id = await upload(planText(10, 40));
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      answerable: 'lexical',
      reason: { code: 'embedding-refused' },
    });
    expect(await rowsOf('passage_vector')).toBe(0);
  });

  it('waits for a model that gives useless vectors, stores none of them, and says so', async () => {
    let isMended = false;
    embedder.beforeBatch = async () => {
      if (!isMended) throw new EmbedderMisbehaved('fake', 'wrong-dimension');
    };
    const id = await upload(planText(11, 3));
    const waiting = await until(id, ({ stages }) =>
      stages.some(({ name, detail }) => name === 'embed' && detail !== null),
    );
    expect(waiting).toMatchObject({ answerable: 'lexical' });
    expect(waiting.stages.find(({ name }) => name === 'embed')).toMatchObject({
      status: 'pending',
      attempts: 0,
      detail: { reason: 'embedder-misbehaved' },
    });
    expect(await rowsOf('passage_vector')).toBe(0);
    isMended = true;
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
  });

  it('writes nothing more once the document was deleted', async () => {
    const reached = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<void>();
    embedder.beforeBatch = async () => {
      reached.resolve();
      await hold.promise;
    };
    const id = await upload(planText(6, 3));
    await reached.promise;
    await module.get(DocumentsService, { strict: false }).delete(principal, id);
    hold.resolve();
    const next = await upload(planText(7, 3));
    await settled(next);
    for (const [table, count] of [
      ['document', 1],
      ['job', 1],
      ['passage', 3],
      ['passage_vector', 3],
    ] as const)
      expect([table, await rowsOf(table)]).toEqual([table, count]);
  });
});

describe('many documents at once', () => {
  it('all end ready, each with its own passages', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => upload(planText(10 + i, 3))));
    expect(new Set(ids).size).toBe(8);
    for (const [i, id] of ids.entries()) {
      expect((await settled(id)).status).toBe('ready');
      expect((await passagesOf(id))[0]!.text).toContain(`plan ${10 + i} pays`);
    }
    expect(await rowsOf('passage')).toBe(24);
  });
});
