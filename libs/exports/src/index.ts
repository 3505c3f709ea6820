export {
  type ExportFile,
  type ExportJob,
  ExportKind,
  ExportKinds,
  type ExportParameters,
  type ExportSink,
  type ExportState,
  type NewExport,
} from './export.js';
export { Exports } from './exports.js';
export type { ExportFilter } from './export.store.js';
export { ExportFiles } from './export-files.js';
export { MANIFEST_FORMAT } from './export-manifest.js';
export { ExportRunner } from './export-runner.js';
export { exportSection, type ExportConfig } from './exports.config.js';
export {
  ExportFileMissing,
  ExportNotFound,
  ExportNotReady,
  ExportTooLarge,
  TooManyExports,
} from './exports.errors.js';
export { ExportsModule } from './exports.module.js';
