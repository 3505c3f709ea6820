export {
  readingDigest,
  type ReadingFailure,
  type ReadingRequest,
  type ReadingResult,
  StructuredReader,
} from './structured-reader.js';
