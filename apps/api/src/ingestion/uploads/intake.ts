import { Inject, Injectable } from '@nestjs/common';
import { BlobStore, type StagedBlob } from '../blobs/blob.store.js';
import { type UploadConfig, uploadSection } from '../ingestion.config.js';
import { Scanner } from '../scan/index.js';
import { firstLook, HEAD_BYTES } from './first-look.js';

/** A file that has arrived, is of a type that can be read, and holds nothing that a scanner knows. */
export interface ReceivedFile extends StagedBlob {
  mediaType: string;
}

export interface ArrivingFile {
  content: AsyncIterable<Uint8Array>;
  /** As whoever sends it calls it, like the type. */
  filename: string;
  declaredType?: string;
}

/** The way of every file into the store: uploads, and the files inside them. */
@Injectable()
export class Intake {
  constructor(
    private readonly blobs: BlobStore,
    private readonly scanner: Scanner,
    @Inject(uploadSection.token) private readonly config: UploadConfig,
  ) {}

  get maxBytes(): number {
    return this.config.maxBytes;
  }

  /**
   * Streams a file to the store. Only its first bytes are looked at: what takes real reading is found out by the
   * stage that reads it.
   *
   * @throws EmptyDocument, UnsupportedDocumentType, MistypedDocument, DocumentTooLarge, MalwareFound, DocumentNotScannable,
   *   ScannerUnavailable; nothing is left behind then
   */
  async receive(
    tenantId: string,
    { content, filename, declaredType }: ArrivingFile,
    signal: AbortSignal,
  ): Promise<ReceivedFile> {
    let mediaType = '';
    const staged = await this.blobs.receive(content, tenantId, {
      limitBytes: this.config.maxBytes,
      headBytes: HEAD_BYTES,
      signal,
      inspect: async (head) => {
        mediaType = await firstLook(head, { filename, declaredType });
      },
    });
    try {
      await this.scanner.scan(() => staged.read(), signal);
    } catch (error) {
      await staged.discard();
      throw error;
    }
    return { ...staged, mediaType };
  }
}
