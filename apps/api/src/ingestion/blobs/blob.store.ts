import type { Readable } from 'node:stream';

export interface ReceiveOptions {
  /** More than this many bytes are refused while they arrive. */
  limitBytes: number;
  /** How many of the first bytes `inspect` is given. */
  headBytes: number;
  /** Sees the beginning of the content as soon as it is there, and refuses it by throwing. */
  inspect(head: Buffer): void | Promise<void>;
  signal: AbortSignal;
}

/** Content that has arrived whole and is durable, but that nobody can find yet. */
export interface StagedBlob {
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  /** For looking at it before it is kept. */
  read(): Readable;
  /** Puts it in its place. Call it while holding the lock of the content, see `DocumentStore.lockContent`. */
  keep(): Promise<void>;
  /** Leaves nothing behind; harmless after `keep`. */
  discard(): Promise<void>;
}

/** A file as the store lists it, for the sweep of orphans. */
export interface StoredBlob {
  tenantId: string;
  sha256: Buffer;
}

/**
 * The originals of the documents, by tenant and SHA-256. A name from outside never becomes part of a path, and the
 * same bytes of two tenants are two files: sharing them would tell one tenant what another one has.
 */
export abstract class BlobStore {
  /** Makes sure that something can be received. @throws StorageUnavailable */
  abstract prepare(): Promise<void>;

  /**
   * @throws StorageUnavailable, DocumentTooLarge, and whatever `inspect`, `signal` and the source throw; nothing is left
   * behind then
   */
  abstract receive(
    source: AsyncIterable<Uint8Array>,
    tenantId: string,
    options: ReceiveOptions,
  ): Promise<StagedBlob>;

  /**
   * @param part of the content, both ends among it; all of it unless given
   * @returns with the size of the whole content
   * @throws ContentMissing
   */
  abstract read(
    tenantId: string,
    sha256: Buffer,
    part?: { start: number; end: number },
  ): Promise<{ stream: Readable; sizeBytes: number }>;

  /** For what is known to be small. @throws ContentMissing */
  abstract readWhole(tenantId: string, sha256: Buffer): Promise<Buffer>;

  /** A path under which a parser process can read the content. @throws ContentMissing */
  abstract localPath(tenantId: string, sha256: Buffer): Promise<string>;

  /** Does nothing when there is no such content. */
  abstract delete(tenantId: string, sha256: Buffer): Promise<void>;

  /** Everything of a tenant that is gone. */
  abstract deleteTenant(tenantId: string): Promise<void>;

  /** Everything that is kept, in no order. */
  abstract list(): AsyncIterable<StoredBlob>;

  /** Removes what uploads left that were cut off by the end of their process, `olderThanMs` ago or longer. */
  abstract removeStale(olderThanMs: number): Promise<number>;
}
