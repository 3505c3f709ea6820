import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { PolicyRegistry } from '#libs/resilience';
import { BlobStore } from './blobs/blob.store.js';
import { GuardedBlobStore } from './blobs/guarded-blob.store.js';
import { LocalBlobStore } from './blobs/local-blob.store.js';
import { OrphanSweep } from './blobs/orphan-sweep.js';
import { DocumentStore } from './documents/document.store.js';
import { DocumentWatcher } from './documents/document-watcher.js';
import { DocumentsController } from './documents/documents.controller.js';
import { DocumentsService } from './documents/documents.service.js';
import { DocumentExtractor } from './extraction/document.extractor.js';
import { Extractors } from './extraction/extractors.js';
import { PartStore } from './extraction/part.store.js';
import { IngestionWorker } from './jobs/ingestion.worker.js';
import { JobStore } from './jobs/job.store.js';
import { IngestionNotifications } from './jobs/notifications.js';
import { QueueProbe } from './jobs/queue.probe.js';
import { SandboxedParser } from './parsing/index.js';
import { UploadService } from './uploads/upload.service.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { JobRunner } from './workflow/job-runner.js';
import { StageWorks } from './workflow/stage-work.js';
import { IngestionStageWorks } from './workflow/stage-works.js';
import { StageStore } from './workflow/stage.store.js';
import { AssessStage } from './workflow/stages/assess.stage.js';
import { EmbedStage } from './workflow/stages/embed.stage.js';
import { ExtractStage } from './workflow/stages/extract.stage.js';
import { PublishStage } from './workflow/stages/publish.stage.js';
import { ReceiveStage } from './workflow/stages/receive.stage.js';
import { StructureStage } from './workflow/stages/structure.stage.js';

/*
 * The words of this domain. A *document* is an uploaded file with its processing state. Its *job* is that processing,
 * which one worker holds at a time by a *lease* and a *fencing token*. A job runs *stages*, and each leaves a
 * *checkpoint*, from which a job that was cut off goes on. A *generation* is one complete set of passages of a
 * document; questions see the live one. A *blob* is the file itself.
 */

const STORES = [
  QueueProbe,
  DocumentStore,
  JobStore,
  StageStore,
  IngestionNotifications,
  {
    provide: BlobStore,
    inject: ['DATA_DIR', PolicyRegistry],
    useFactory: (dataDir: string, policies: PolicyRegistry) =>
      new GuardedBlobStore(new LocalBlobStore(join(dataDir, 'blobs')), policies.policy('blob-store')),
  },
];

const WORKER = [
  IngestionWorker,
  OrphanSweep,
  JobRunner,
  SandboxedParser,
  PartStore,
  DocumentExtractor,
  {
    provide: Extractors,
    inject: [DocumentExtractor],
    useFactory: (documents: DocumentExtractor) => new Extractors(documents),
  },
  ReceiveStage,
  ExtractStage,
  StructureStage,
  EmbedStage,
  AssessStage,
  PublishStage,
  { provide: StageWorks, useClass: IngestionStageWorks },
];

@Module({})
export class IngestionModule {
  /** `http`: uploads and documents, for the roles `api` and `all`. `worker`: takes jobs, for `worker` and `all`. */
  static register({ http, worker }: { http: boolean; worker: boolean }): DynamicModule {
    return {
      module: IngestionModule,
      global: true,
      controllers: http ? [UploadsController, DocumentsController] : [],
      providers: [
        ...STORES,
        ...(http ? [UploadService, DocumentsService, DocumentWatcher] : []),
        ...(worker ? WORKER : []),
      ],
      exports: [QueueProbe],
    };
  }
}
