/** Reading files: what they are, what stands in them and where. Everything here runs on files that nobody vouches for. */
export { type ParserConfig, parserSection } from './sandbox/parsing.config.js';
export { type Parsed, type ParseInput, SandboxedParser } from './sandbox/sandboxed-parser.js';
export { ParseFailure, type ParseFailureCode } from './parse-failure.js';
export type { Block, ExtractedDocument, ExtractionWarning } from './extracted-document.js';
export { FORMAT_OF_MEDIA_TYPE } from './media-types.js';
