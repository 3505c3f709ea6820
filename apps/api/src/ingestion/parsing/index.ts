/** Reading files: what they are, what stands in them and where. Everything here runs on files that nobody vouches for. */
export { type ParserConfig, parserSection } from './sandbox/parsing.config.js';
export {
  type ParserFile,
  type ParserPlan,
  SandboxedParser,
  type StructureStep,
  type WholeFile,
} from './sandbox/sandboxed-parser.js';
export { ParseFailure, type ParseFailureCode } from './parse-failure.js';
export type { Block, ExtractedDocument, ExtractionWarning, TextBlock } from './extracted-document.js';
export type { ReadPart } from './open-file.js';
export { FORMAT_OF_MEDIA_TYPE } from './media-types.js';
export type { DocumentFormat } from './extracted-document.js';
