import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { PolicyRegistry } from '#libs/resilience';
import { BlobStore } from './blobs/blob.store.js';
import { GuardedBlobStore } from './blobs/guarded-blob.store.js';
import { LocalBlobStore } from './blobs/local-blob.store.js';
import { OrphanSweep } from './blobs/orphan-sweep.js';
import { ControlService } from './control/control.service.js';
import { ControlStore } from './control/control.store.js';
import { DeadLetterStore } from './control/dead-letter.store.js';
import { IngestionController } from './control/ingestion.controller.js';
import { IngestionOrdersController } from './control/ingestion-orders.controller.js';
import { AttachmentStore } from './documents/attachment.store.js';
import { ChildDocuments } from './documents/child-documents.js';
import { DocumentRedo } from './documents/document-redo.js';
import { DocumentRemoval } from './documents/document-removal.js';
import { DocumentStore } from './documents/document.store.js';
import { DocumentWatcher } from './documents/document-watcher.js';
import { DocumentsController } from './documents/documents.controller.js';
import { DocumentsService } from './documents/documents.service.js';
import { Forecast } from './documents/forecast.js';
import { ProcessingController } from './documents/processing.controller.js';
import { ProcessingService } from './documents/processing.service.js';
import { DocumentExtractor } from './extraction/document.extractor.js';
import { Extractors } from './extraction/extractors.js';
import { PartStore } from './extraction/part.store.js';
import { SourceFiles } from './extraction/source-files.js';
import { FactsController } from './facts/facts.controller.js';
import { FactsService } from './facts/facts.service.js';
import { InsightFinder } from './facts/insight-finder.js';
import { InsightStore } from './facts/insight.store.js';
import { FactReader } from './facts/model/fact-reader.js';
import { ReadingStore } from './facts/model/reading.store.js';
import { GenerationStore } from './generations/generation.store.js';
import { GenerationUpkeep } from './generations/generation-upkeep.js';
import { PassageCopy } from './generations/passage-copy.js';
import { ReindexQueue } from './generations/reindex-queue.js';
import { ReindexStore } from './generations/reindex.store.js';
import { ReindexWork } from './generations/reindex-work.js';
import { ReindexesController } from './generations/reindexes.controller.js';
import { ReindexesService } from './generations/reindexes.service.js';
import { Archives } from './imports/archives.js';
import { ImportFetcher } from './imports/import-fetcher.js';
import { ImportQueue } from './imports/import-queue.js';
import { ImportReceiver } from './imports/import-receiver.js';
import { ImportRunner } from './imports/import-runner.js';
import { ImportStore } from './imports/import.store.js';
import { ImportWatcher } from './imports/import-watcher.js';
import { ImportsController } from './imports/imports.controller.js';
import { ImportsService } from './imports/imports.service.js';
import { ItemWork } from './imports/item-work.js';
import { type WorkerConfig, workerSection } from './ingestion.config.js';
import { IngestionWorker } from './jobs/ingestion.worker.js';
import { JobStore } from './jobs/job.store.js';
import { IngestionNotifications } from './jobs/notifications.js';
import { QueueProbe } from './jobs/queue.probe.js';
import { WorkerLiveness } from './jobs/worker-liveness.js';
import { WorkerProbe } from './jobs/worker.probe.js';
import { DocumentPasswords } from './passwords/document-passwords.js';
import { SealingKey } from '#libs/secrets';
import { SandboxedParser } from './parsing/index.js';
import { ImageExtractor, RECOGNITION } from './recognition/index.js';
import { RecordingExtractor, TRANSCRIPTION } from './transcription/index.js';
import { SCANNER } from './scan/index.js';
import { CollectionsController } from './sharing/collections.controller.js';
import { CollectionsService } from './sharing/collections.service.js';
import { DocumentSharingController } from './sharing/document-sharing.controller.js';
import { DocumentSharingService } from './sharing/document-sharing.service.js';
import { Intake } from './uploads/intake.js';
import { UploadService } from './uploads/upload.service.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { WEBHOOKS_WORKER, WebhooksController, WebhooksService, WebhookStore } from './webhooks/index.js';
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
 * document; questions see the live one. A *reindex* is an order to make many of them anew. A *blob* is the file itself.
 */

const STORES = [
  QueueProbe,
  PartStore,
  DocumentStore,
  JobStore,
  StageStore,
  GenerationStore,
  ReindexQueue,
  DocumentRedo,
  ReindexWork,
  IngestionNotifications,
  InsightStore,
  WebhookStore,
  AttachmentStore,
  DocumentRemoval,
  DocumentPasswords,
  Intake,
  UploadService,
  ImportStore,
  Archives,
  SCANNER,
  {
    provide: SealingKey,
    inject: ['DATA_DIR'],
    useFactory: (dataDir: string) => SealingKey.loadOrCreate(dataDir),
  },
  {
    provide: BlobStore,
    inject: ['DATA_DIR', PolicyRegistry],
    useFactory: (dataDir: string, policies: PolicyRegistry) =>
      new GuardedBlobStore(new LocalBlobStore(join(dataDir, 'blobs')), policies.policy('blob-store')),
  },
];

const WORKER = [
  { provide: WorkerLiveness, useFactory: () => new WorkerLiveness() },
  IngestionWorker,
  OrphanSweep,
  GenerationUpkeep,
  PassageCopy,
  JobRunner,
  SandboxedParser,
  DocumentExtractor,
  ...TRANSCRIPTION,
  ...RECOGNITION,
  {
    provide: Extractors,
    inject: [DocumentExtractor, RecordingExtractor, ImageExtractor],
    useFactory: (documents: DocumentExtractor, recordings: RecordingExtractor, images: ImageExtractor) =>
      new Extractors(documents, [
        { prefix: 'audio/', extractor: recordings },
        { prefix: 'video/', extractor: recordings },
        { prefix: 'image/', extractor: images },
      ]),
  },
  ChildDocuments,
  ImportQueue,
  ImportFetcher,
  ItemWork,
  ImportRunner,
  SourceFiles,
  InsightFinder,
  FactReader,
  ReadingStore,
  ...WEBHOOKS_WORKER,
  ReceiveStage,
  ExtractStage,
  StructureStage,
  EmbedStage,
  AssessStage,
  PublishStage,
  { provide: StageWorks, useClass: IngestionStageWorks },
];

const CONTROLLERS = [
  UploadsController,
  ImportsController,
  DocumentsController,
  DocumentSharingController,
  CollectionsController,
  FactsController,
  ProcessingController,
  ReindexesController,
  IngestionController,
  IngestionOrdersController,
  WebhooksController,
];

const HTTP = [
  ImportsService,
  ImportReceiver,
  ImportWatcher,
  DocumentsService,
  DocumentSharingService,
  CollectionsService,
  FactsService,
  DocumentWatcher,
  Forecast,
  ProcessingService,
  ReindexStore,
  ReindexesService,
  ControlService,
  ControlStore,
  DeadLetterStore,
  WebhooksService,
];

/** A process that also answers questions is not restarted for its worker's sake. */
function workerProbe({ neededForLiveness }: { neededForLiveness: boolean }) {
  return {
    provide: WorkerProbe,
    inject: [WorkerLiveness, workerSection.token],
    useFactory: (liveness: WorkerLiveness, config: WorkerConfig) =>
      new WorkerProbe(liveness, config, neededForLiveness),
  };
}

@Module({})
export class IngestionModule {
  /** `http`: uploads and documents, for the roles `api` and `all`. `worker`: takes jobs, for `worker` and `all`. */
  static register({ http, worker }: { http: boolean; worker: boolean }): DynamicModule {
    return {
      module: IngestionModule,
      global: true,
      controllers: http ? CONTROLLERS : [],
      providers: [
        ...STORES,
        ...(http ? HTTP : []),
        ...(worker ? [...WORKER, workerProbe({ neededForLiveness: !http })] : []),
      ],
      exports: [QueueProbe, BlobStore, DocumentRemoval, ...(worker ? [WorkerProbe] : [])],
    };
  }
}
