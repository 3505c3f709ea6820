import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastifyMultipart from '@fastify/multipart';
import type { CanActivate, ExecutionContext, Provider, Type } from '@nestjs/common';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Role } from '#libs/auth';
import { LegalHolds } from '#libs/audit';
import { Caches } from '#libs/cache';
import { TenantDb } from '#libs/database';
import { ProblemFilter, registerRequestHooks, ValidationFailed } from '#libs/http';
import { BlobStore } from '../../apps/api/src/ingestion/blobs/blob.store.js';
import { LocalBlobStore } from '../../apps/api/src/ingestion/blobs/local-blob.store.js';
import { AttachmentStore } from '../../apps/api/src/ingestion/documents/attachment.store.js';
import { DocumentRedo } from '../../apps/api/src/ingestion/documents/document-redo.js';
import { DocumentStore } from '../../apps/api/src/ingestion/documents/document.store.js';
import { DocumentWatcher } from '../../apps/api/src/ingestion/documents/document-watcher.js';
import { DocumentRemoval } from '../../apps/api/src/ingestion/documents/document-removal.js';
import { DocumentsService } from '../../apps/api/src/ingestion/documents/documents.service.js';
import { Forecast } from '../../apps/api/src/ingestion/documents/forecast.js';
import { ProcessingService } from '../../apps/api/src/ingestion/documents/processing.service.js';
import { PartStore } from '../../apps/api/src/ingestion/extraction/part.store.js';
import { InsightStore } from '../../apps/api/src/ingestion/facts/insight.store.js';
import { GenerationStore } from '../../apps/api/src/ingestion/generations/generation.store.js';
import { generationSection } from '../../apps/api/src/ingestion/generations/generations.config.js';
import { IngestionNotifications } from '../../apps/api/src/ingestion/jobs/notifications.js';
import { DocumentPasswords } from '../../apps/api/src/ingestion/passwords/document-passwords.js';
import { SealingKey } from '#libs/secrets';
import { StageStore } from '../../apps/api/src/ingestion/workflow/stage.store.js';
import { DeletedDocuments, PassageStore } from '../../apps/api/src/rag/index.js';
import { LexicalIndex } from '../../apps/api/src/rag/passages/lexical/lexical.index.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { uploadSection, workerSection } from '../../apps/api/src/ingestion/ingestion.config.js';
import { NoScanner, Scanner } from '../../apps/api/src/ingestion/scan/scanner.js';
import { Intake } from '../../apps/api/src/ingestion/uploads/intake.js';
import { JobStore } from '../../apps/api/src/ingestion/jobs/job.store.js';
import { setPrincipal } from '../../libs/auth/src/declarations.js';
import { type Owner, workerConfig } from './documents.js';
import type { TestDatabase } from './test-database.js';

/** What the controllers of documents and of their processing are built on. */
export const documentProviders: Provider[] = [
  DocumentsService,
  DocumentRemoval,
  LegalHolds,
  DocumentWatcher,
  Forecast,
  ProcessingService,
  DocumentRedo,
  GenerationStore,
  InsightStore,
  { provide: generationSection.token, useValue: generationSection.schema.parse({}) },
  StageStore,
  PartStore,
  IngestionNotifications,
  PassageStore,
  {
    provide: DeletedDocuments,
    useValue: DeletedDocuments.on(Caches.inMemory(), { staleAnswerSeconds: 60 }),
  },
  LexicalIndex,
  { provide: VectorIndex, useClass: BitscanIndex },
];

export interface IngestionApp {
  url: string;
  app: NestFastifyApplication;
  blobs: LocalBlobStore;
  /** Headers that make a request one of this person. */
  as(owner: Owner, role?: Role): Record<string, string>;
  /** Names of all files below the data folder. */
  filesLeft(): Promise<string[]>;
  removeFiles(): Promise<void>;
  close(): Promise<void>;
}

/** Controllers of the ingestion on a real port and a real database; who asks is said in a header. */
export async function ingestionApp(
  db: TestDatabase,
  parts: { controllers: Type[]; providers: Provider[]; maxBytes?: number },
): Promise<IngestionApp> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-ingestion-'));
  const blobs = new LocalBlobStore(folder);
  const maxBytes = parts.maxBytes ?? 1_048_576;
  const moduleRef = await Test.createTestingModule({
    controllers: parts.controllers,
    providers: [
      DocumentStore,
      JobStore,
      AttachmentStore,
      DocumentPasswords,
      Intake,
      { provide: SealingKey, useValue: new SealingKey(Buffer.alloc(32, 7)) },
      { provide: Scanner, useClass: NoScanner },
      { provide: BlobStore, useValue: blobs },
      { provide: TenantDb, useValue: db.tenantDb },
      { provide: 'APP_DATABASE_URL', useValue: db.appUrl },
      { provide: uploadSection.token, useValue: { maxBytes } },
      { provide: workerSection.token, useValue: workerConfig() },
      { provide: APP_GUARD, useClass: HeaderGuard },
      ...parts.providers,
    ],
  }).compile();
  const app = moduleRef.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    logger: false,
  });
  registerRequestHooks(app.getHttpAdapter().getInstance());
  await app.register(fastifyMultipart as never, { limits: { fileSize: maxBytes } });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(
    new StandardSchemaValidationPipe({ exceptionFactory: (issues) => new ValidationFailed(issues) }),
  );
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    app,
    blobs,
    as: ({ tenantId, userId }, role = 'admin') => ({
      'x-test-principal': JSON.stringify({ tenantId, userId, role }),
    }),
    filesLeft: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name),
    removeFiles: () => rm(folder, { recursive: true, force: true }),
    async close() {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    const principal = JSON.parse(request.headers['x-test-principal']!);
    setPrincipal(request, { via: 'session', credentialId: 'test', ...principal });
    return true;
  }
}
