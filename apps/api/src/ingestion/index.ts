export { IngestionModule } from './ingestion.module.js';
export {
  type UploadConfig,
  uploadSection,
  webhookSection,
  type WorkerConfig,
  workerSection,
} from './ingestion.config.js';
export { type GenerationConfig, generationSection } from './generations/generations.config.js';
export { type ParserConfig, parserSection } from './parsing/index.js';
export { factsSection } from './facts/facts.config.js';
export { ocrProbe, ocrSection } from './recognition/index.js';
export { transcriberProbe, transcriberSection } from './transcription/index.js';
export { type ClamdConfig, clamdSection, scannerProbe } from './scan/index.js';
export { type ImportConfig, importSection } from './imports/imports.config.js';
export { BlobStore } from './blobs/blob.store.js';
export { DocumentRemoval } from './documents/document-removal.js';
export { QueueProbe } from './jobs/queue.probe.js';
export { WorkerProbe } from './jobs/worker.probe.js';
export { type GateConfig, gateSection } from './workflow/gates/index.js';
