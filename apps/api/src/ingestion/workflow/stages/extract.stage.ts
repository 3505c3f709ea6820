import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import { BlobStore } from '../../blobs/blob.store.js';
import type { Document } from '../../documents/document.js';
import { DocumentStore } from '../../documents/document.store.js';
import { type ExtractedDocument, ParseFailure, SandboxedParser } from '../../parsing/index.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';

/** Reads the file, in the sandboxed parser, into blocks of text and tables. */
@Injectable()
export class ExtractStage implements StageWork {
  private readonly policy: Policy;

  constructor(
    private readonly blobs: BlobStore,
    private readonly parser: SandboxedParser,
    private readonly documents: DocumentStore,
    policies: PolicyRegistry,
  ) {
    this.policy = policies.policy('parser');
  }

  async run({ document }: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { mediaType, document: extracted } = await this.parse(document, signal);
    return {
      detail: {
        format: extracted.format,
        pages: extracted.pageCount,
        blocks: extracted.blocks.length,
        warnings: extracted.warnings.length,
      },
      result: await packExtracted(extracted),
      // The upload went by the first bytes; the parser has seen them all.
      commit: (tx) => this.documents.saveMediaType(tx, document.id, mediaType),
    };
  }

  private async parse({ tenantId, sha256, filename, mediaType }: Document, signal: AbortSignal) {
    const path = await this.blobs.localPath(tenantId, sha256);
    try {
      const file = { path, filename, declaredType: mediaType };
      const parse = (limited: AbortSignal) => this.parser.parse({ ...file, signal: limited });
      return await this.policy.execute(parse, { signal, operation: 'parse' });
    } catch (error) {
      if (error instanceof ParseFailure && !WORTH_ANOTHER_TRY.has(error.code))
        throw new DocumentRejected(error.code, error.message, { cause: error });
      throw error;
    }
  }
}

/** A parser that dies may have been killed from outside; all other failures are in the file. */
const WORTH_ANOTHER_TRY = new Set(['parser-crashed']);
/** What a decompressed checkpoint may take; the parser's own limits lie far below. */
const MAX_UNPACKED_BYTES = 512 * 1_024 * 1_024;

/** The checkpoint from which the stages after this one start. */
export async function packExtracted(extracted: ExtractedDocument): Promise<Buffer> {
  return promisify(gzip)(JSON.stringify(extracted));
}

export async function unpackExtracted(checkpoint: Buffer): Promise<ExtractedDocument> {
  const unpacked = await promisify(gunzip)(checkpoint, { maxOutputLength: MAX_UNPACKED_BYTES });
  return JSON.parse(unpacked.toString('utf8')) as ExtractedDocument;
}
