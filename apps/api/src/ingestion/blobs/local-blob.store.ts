import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { ContentMissing, DocumentTooLarge, StorageUnavailable } from '../ingestion.errors.js';
import { BlobStore, type ReceiveOptions, type StagedBlob, type StoredBlob } from './blob.store.js';

/** Files of content are named by 64 hexadecimal digits, so no other name can be one of ours. */
const SHA256_NAME = /^[0-9a-f]{64}$/;
const UUID_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INCOMING = 'incoming';
const DISK_TROUBLE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EMFILE']);
/** Whatever else uses this disk, the database among it, must still be able to work. */
const LEAST_FREE_BYTES = 64 * 1_024 * 1_024;
const LOOKED_AT_EVERY_MS = 500;
/** Written to the disk in steps of this, so that the last flush is short whatever the size of the file. */
const FLUSH_EVERY_BYTES = 8 * 1_024 * 1_024;

/**
 * Content in files, `<folder>/<tenant>/<first two digits>/<sha256>`. A file is written and flushed under
 * `<folder>/incoming` and then renamed into its place, so that under its final name it is always whole.
 */
export class LocalBlobStore extends BlobStore {
  private roomyUntilMs = 0;

  constructor(private readonly folder: string) {
    super();
  }

  async prepare(): Promise<void> {
    if (performance.now() < this.roomyUntilMs) return;
    try {
      const { bavail, bsize } = await this.inFolder(() => statfs(join(this.folder, INCOMING)));
      if (bavail * bsize < LEAST_FREE_BYTES) throw new StorageUnavailable();
      this.roomyUntilMs = performance.now() + LOOKED_AT_EVERY_MS;
    } catch (error) {
      throwTrouble(error as NodeJS.ErrnoException);
    }
  }

  async receive(
    source: AsyncIterable<Uint8Array>,
    tenantId: string,
    options: ReceiveOptions,
  ): Promise<StagedBlob> {
    const path = join(this.folder, INCOMING, randomUUID());
    try {
      const file = await this.inFolder(() => open(path, 'wx', 0o600));
      const written = await writeWhole(file, source, options);
      let isKept = false;
      return {
        ...written,
        read: () => createReadStream(path),
        keep: async () => {
          await moveInto(path, this.pathOf(tenantId, written.sha256), this.folder).catch(throwTrouble);
          isKept = true;
        },
        discard: async () => {
          if (!isKept) await rm(path, { force: true });
        },
      };
    } catch (error) {
      // What cannot be removed now is swept later; the first error is the one that tells.
      await rm(path, { force: true }).catch(() => undefined);
      return throwTrouble(error as NodeJS.ErrnoException);
    }
  }

  async read(
    tenantId: string,
    sha256: Buffer,
    part?: { start: number; end: number },
  ): Promise<{ stream: Readable; sizeBytes: number }> {
    const handle = await open(this.pathOf(tenantId, sha256)).catch(throwMissing);
    const { size } = await handle.stat();
    return { stream: handle.createReadStream(part), sizeBytes: size };
  }

  async readWhole(tenantId: string, sha256: Buffer): Promise<Buffer> {
    return readFile(this.pathOf(tenantId, sha256)).catch(throwMissing);
  }

  async localPath(tenantId: string, sha256: Buffer): Promise<string> {
    const path = this.pathOf(tenantId, sha256);
    await stat(path).catch(throwMissing);
    return path;
  }

  async delete(tenantId: string, sha256: Buffer): Promise<void> {
    await rm(this.pathOf(tenantId, sha256), { force: true });
  }

  async deleteTenant(tenantId: string): Promise<void> {
    if (!UUID_NAME.test(tenantId)) throw new Error('That cannot be a tenant');
    await rm(join(this.folder, tenantId), { recursive: true, force: true });
  }

  async *list(): AsyncIterable<StoredBlob> {
    for (const tenantId of await namesIn(this.folder, UUID_NAME))
      for (const shard of await namesIn(join(this.folder, tenantId), /^[0-9a-f]{2}$/))
        for await (const { name } of await opendir(join(this.folder, tenantId, shard)))
          if (SHA256_NAME.test(name)) yield { tenantId, sha256: Buffer.from(name, 'hex') };
  }

  async removeStale(olderThanMs: number): Promise<number> {
    const folder = join(this.folder, INCOMING);
    let removed = 0;
    for (const name of await namesIn(folder, UUID_NAME)) {
      const path = join(folder, name);
      const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Infinity }))).mtimeMs;
      if (age < olderThanMs) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  /** The folder of what arrives is made when it is missed. */
  private async inFolder<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throwUnlessMissing(error as NodeJS.ErrnoException);
      await mkdir(join(this.folder, INCOMING), { recursive: true, mode: 0o700 });
      return work();
    }
  }

  private pathOf(tenantId: string, sha256: Buffer): string {
    const name = sha256.toString('hex');
    if (!UUID_NAME.test(tenantId) || !SHA256_NAME.test(name))
      throw new Error('That cannot be the key of a blob');
    return join(this.folder, tenantId, name.slice(0, 2), name);
  }
}

async function writeWhole(
  file: FileHandle,
  source: AsyncIterable<Uint8Array>,
  { limitBytes, headBytes, inspect, signal }: ReceiveOptions,
): Promise<{ sha256: Buffer; sizeBytes: number }> {
  try {
    const hash = createHash('sha256');
    let head: Buffer | undefined = Buffer.alloc(0);
    let sizeBytes = 0;
    let unflushed = 0;
    for await (const chunk of source) {
      signal.throwIfAborted();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limitBytes) throw new DocumentTooLarge(limitBytes);
      if (head) {
        head = Buffer.concat([head, chunk]);
        if (head.byteLength >= headBytes) {
          await inspect(head.subarray(0, headBytes));
          head = undefined;
        }
      }
      hash.update(chunk);
      await writeAll(file, chunk);
      unflushed += chunk.byteLength;
      if (unflushed >= FLUSH_EVERY_BYTES) {
        await file.datasync();
        unflushed = 0;
      }
    }
    signal.throwIfAborted();
    if (head) await inspect(head);
    await file.sync();
    return { sha256: hash.digest(), sizeBytes };
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}

/** Flushes each folder in which a name is new: until then a power cut could take the file away again. */
async function moveInto(from: string, to: string, root: string): Promise<void> {
  const folder = dirname(to);
  // Over a file of the same name, because that has the same content; should it be damaged, it is mended.
  const isThere = await rename(from, to).then(() => true, throwUnlessMissing);
  const firstNew = isThere ? undefined : await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!isThere) await rename(from, to);
  await flushFolder(folder);
  if (firstNew) for (let path = folder; path !== root;) await flushFolder((path = dirname(path)));
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => pattern.test(name));
}

/** False when a file or its folder is missing. */
function throwUnlessMissing(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT') return false;
  throw error;
}

function throwTrouble(error: NodeJS.ErrnoException): never {
  throw DISK_TROUBLE.has(error.code ?? '') ? new StorageUnavailable({ cause: error }) : error;
}

function throwMissing(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? new ContentMissing() : error;
}
