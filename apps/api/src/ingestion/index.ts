export { IngestionModule } from './ingestion.module.js';
export { type UploadConfig, uploadSection, type WorkerConfig, workerSection } from './ingestion.config.js';
export { type ParserConfig, parserSection } from './parsing/index.js';
export { QueueProbe } from './jobs/queue.probe.js';
