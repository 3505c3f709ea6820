import type { StructureOptions } from '../../passages/structure-part.js';
import type { ReadRange } from '../open-file.js';

/** What a parser process is asked. The bytes of a file are the body of the request, unless the process holds it. */
export type ParserRequest = PlanRequest | ReadRequest | StructureRequest;

interface FileRequest {
  /** The process has this file open since the request before. */
  held: boolean;
  /** Further requests for the same file are likely. */
  keep: boolean;
  filename: string;
  declaredType?: string;
  password?: string;
  maxPages: number;
}

/**
 * What the file is, and in which parts it is to be read. Answered by a `FilePlan` with the media type. A file that is read
 * as a whole, and that needs nobody else for what is inside of it, is answered with all that comes after, too: the part
 * (JSON), its `PartDetail`, and what a `StructureRequest` is answered by.
 */
export interface PlanRequest extends FileRequest {
  operation: 'plan';
  /** Who must know the whole document to cut it can wait; this one cannot. */
  whole: boolean;
}

/** One part. Answered by a `ReadPart`, whose files and pictures follow as sections of their own. */
export interface ReadRequest extends FileRequest {
  operation: 'read';
  range: ReadRange;
  recognise: boolean;
}

/**
 * The passages of one more part. Body: the state after the part before (empty for the first one) and the part. Answered
 * by the state and two sections for each batch, its passages and its postings; `batches` tells where they begin,
 * and `language` (ISO 639-1, or null) after the last part what the document is written in.
 */
export interface StructureRequest extends StructureOptions {
  operation: 'structure';
  /** Lengths of the two sections of the body. */
  sections: number[];
}
