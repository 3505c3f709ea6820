import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { LegalHolds } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { Caches } from '#libs/cache';
import { TenantDb } from '#libs/database';
import { Pressure } from '#libs/http';
import { PolicyRegistry } from '#libs/resilience';
import { sections } from '../../apps/api/src/app.config.js';
import { type DocumentBody, toDocumentBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentsService } from '../../apps/api/src/ingestion/documents/documents.service.js';
import { IngestionModule, workerSection } from '../../apps/api/src/ingestion/index.js';
import { IngestionNotifications } from '../../apps/api/src/ingestion/jobs/notifications.js';
import { UploadService } from '../../apps/api/src/ingestion/uploads/upload.service.js';
import { gateSection } from '../../apps/api/src/ingestion/workflow/gates/index.js';
import {
  DeletedDocuments,
  Embedder,
  ModelRejected,
  PassageStore,
  StructuredReader,
  Withdrawals,
} from '../../apps/api/src/rag/index.js';
import { LexicalIndex } from '../../apps/api/src/rag/passages/lexical/lexical.index.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { gateConfig, workerConfig } from './documents.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** Gives every text a vector of its own, unless a test keeps it from that. */
export class FakeEmbedder extends Embedder {
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

/** The whole ingestion, with the real parser; only the embedding model is a fake, so that it can be stopped. */
export class IngestionWorld {
  embedder!: FakeEmbedder;
  principal!: Principal;
  private dataDir!: string;
  private module!: TestingModule;

  private constructor(readonly db: TestDatabase) {}

  static async start(): Promise<IngestionWorld> {
    return new IngestionWorld(await testDatabase());
  }

  /** Before each test. */
  async begin(): Promise<void> {
    this.dataDir = await mkdtemp(join(tmpdir(), 'navigator-stages-'));
    this.embedder = new FakeEmbedder();
    await this.db.owner.query('delete from document');
    const owner = await this.db.createTenant();
    this.principal = { ...owner, role: 'member', via: 'session', credentialId: 'test' };
    await this.startProgram();
  }

  /** After each test. */
  async end(): Promise<void> {
    await this.stopProgram();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  close(): Promise<void> {
    return this.db.close();
  }

  async startProgram({ worker = true } = {}): Promise<void> {
    const providers = this.surroundings();
    @Module({ providers, exports: providers })
    class Surroundings {}
    this.module = await Test.createTestingModule({
      imports: [{ module: Surroundings, global: true }, IngestionModule.register({ http: true, worker })],
    }).compile();
    this.module.useLogger(false);
    await this.module.init();
  }

  stopProgram(): Promise<void> {
    return this.module.close();
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.module.get<T>(type, { strict: false });
  }

  async upload(content: string | Buffer, filename = 'plan.md'): Promise<string> {
    const { principal } = this;
    const uploads = this.get(UploadService);
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
  async until(id: string, matches: (document: DocumentBody) => boolean): Promise<DocumentBody> {
    const [notifications, documents] = [this.get(IngestionNotifications), this.get(DocumentsService)];
    for (;;) {
      const changed = notifications.documentChanged(id, 100, new AbortController().signal);
      const document = toDocumentBody(await documents.get(this.principal, id));
      if (matches(document)) return document;
      await changed;
    }
  }

  settled(id: string): Promise<DocumentBody> {
    return this.until(id, ({ status }) => status === 'ready' || status === 'failed');
  }

  async passagesOf(id: string) {
    return (await this.get(DocumentsService).listPassages(this.principal, id, { limit: 100 })).items;
  }

  async rowsOf(table: string): Promise<number | null> {
    return (await this.db.owner.query(`select from ${table}`)).rowCount;
  }

  private surroundings(): Provider[] {
    const policies = new PolicyRegistry();
    for (const name of ['parser', 'transcriber', 'ocr', 'blob-store', 'webhook', 'import'])
      policies.define(name, { attemptTimeoutMs: 60_000 });
    policies.define('embedder', { attemptTimeoutMs: 10_000, bulkhead: { concurrency: 8, queue: 8 } });
    const staleAnswers = { staleAnswerSeconds: 60 };
    return [
      { provide: TenantDb, useValue: this.db.tenantDb },
      { provide: 'APP_DATABASE_URL', useValue: this.db.appUrl },
      { provide: 'DATA_DIR', useValue: this.dataDir },
      // Every setting as it comes, but for what follows.
      ...Object.values(sections).map(({ token, schema }) => ({ provide: token, useValue: schema.parse({}) })),
      { provide: gateSection.token, useValue: gateConfig },
      { provide: workerSection.token, useValue: workerConfig({ pollMs: 100 }) },
      { provide: PolicyRegistry, useValue: policies },
      { provide: Pressure, useValue: { sheds: () => false } },
      { provide: Embedder, useValue: this.embedder },
      { provide: StructuredReader, useValue: {} },
      { provide: VectorIndex, useClass: BitscanIndex },
      LexicalIndex,
      PassageStore,
      LegalHolds,
      { provide: DeletedDocuments, useValue: DeletedDocuments.on(Caches.inMemory(), staleAnswers) },
      { provide: Withdrawals, useValue: Withdrawals.on(Caches.inMemory(), staleAnswers) },
    ];
  }
}
