import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ExportSink } from './export.js';
import { ExportFileMissing, ExportTooLarge } from './exports.errors.js';

const PART = '.part';
/** Waits to be written, at most; a chunk may be larger. */
const BUFFERED_BYTES = 1_048_576;

export interface WrittenFile {
  bytes: number;
  /** In hex. */
  sha256: string;
}

/** A file that is being written, under a name of its own until it is whole. */
export interface Draft extends ExportSink {
  readonly rows: number;
  /** All is on the disk when it resolves. */
  finish(): Promise<WrittenFile>;
  /** Puts it in its place. */
  keep(): Promise<void>;
  /** Leaves nothing behind; harmless after `keep`. */
  discard(): Promise<void>;
}

/** The files of exports: `<tenant>/<id>`, and `<tenant>/<id>.<claim>.part` while they are written. */
export class ExportFiles {
  constructor(private readonly folder: string) {}

  async draft(
    { tenantId, id, claimId, gzip }: { tenantId: string; id: string; claimId: string; gzip: boolean },
    limitBytes: number,
  ): Promise<Draft> {
    const path = this.pathOf(tenantId, id);
    const part = `${path}.${claimId}${PART}`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return new FileDraft(await open(part, 'wx', 0o600), { path, part, gzip, limitBytes });
  }

  /** @param range both ends among it. @throws ExportFileMissing */
  async read(tenantId: string, id: string, range?: { start: number; end: number }): Promise<Readable> {
    const stream = createReadStream(this.pathOf(tenantId, id), range);
    try {
      await once(stream, 'ready');
    } catch (error) {
      throw new ExportFileMissing({ cause: error });
    }
    return stream;
  }

  async remove(tenantId: string, id: string): Promise<void> {
    await rm(this.pathOf(tenantId, id), { force: true });
  }

  async removeTenant(tenantId: string): Promise<void> {
    await rm(join(this.folder, tenantId), { recursive: true, force: true });
  }

  /** What lies in the folder, by tenant. */
  async *list(): AsyncGenerator<{ tenantId: string; files: StoredFile[] }> {
    for (const tenantId of await namesIn(this.folder)) {
      const names = await namesIn(join(this.folder, tenantId));
      yield { tenantId, files: names.map((name) => ({ name, ...partsOf(name) })) };
    }
  }

  async removeFile(tenantId: string, name: string): Promise<void> {
    await rm(join(this.folder, tenantId, name), { force: true });
  }

  private pathOf(tenantId: string, id: string): string {
    return join(this.folder, tenantId, id);
  }
}

export interface StoredFile {
  name: string;
  id: string;
  /** Of a file that is not whole. */
  claimId?: string;
}

function partsOf(name: string): { id: string; claimId?: string } {
  const [id = name, claimId] = name.split('.');
  return { id, claimId };
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

interface DraftOptions {
  path: string;
  part: string;
  gzip: boolean;
  limitBytes: number;
}

class FileDraft implements Draft {
  rows = 0;
  private bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly input: Writable;
  private readonly written: Promise<void>;
  private failure: Error | undefined;

  constructor(
    private readonly file: FileHandle,
    private readonly options: DraftOptions,
  ) {
    const target = new Writable({
      highWaterMark: BUFFERED_BYTES,
      write: (chunk: Buffer, _, done) => void this.append(chunk).then(() => done(), done),
    });
    this.input = options.gzip ? createGzip() : target;
    this.written = options.gzip
      ? pipeline(this.input as ReturnType<typeof createGzip>, target)
      : ended(target);
    this.written.catch((error: Error) => (this.failure = error));
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.input.write(chunk)) return;
    await Promise.race([once(this.input, 'drain'), this.written]);
  }

  progress(rows: number): void {
    this.rows = rows;
  }

  async finish(): Promise<WrittenFile> {
    this.input.end();
    await this.written;
    await this.file.sync();
    await this.file.close();
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  async keep(): Promise<void> {
    await rename(this.options.part, this.options.path);
    const folder = await open(dirname(this.options.path), 'r');
    await folder.sync().finally(() => folder.close());
  }

  async discard(): Promise<void> {
    this.input.destroy();
    await this.written.catch(() => undefined);
    await this.file.close().catch(() => undefined);
    await rm(this.options.part, { force: true });
  }

  private async append(chunk: Buffer): Promise<void> {
    this.bytes += chunk.length;
    if (this.bytes > this.options.limitBytes) throw new ExportTooLarge(this.options.limitBytes);
    this.hash.update(chunk);
    for (let done = 0; done < chunk.length;) done += (await this.file.write(chunk, done)).bytesWritten;
  }
}

/** Rejects with what the stream failed of. */
function ended(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream
      .once('finish', resolve)
      .once('error', reject)
      .once('close', () => reject(new Error('given up')));
  });
}
