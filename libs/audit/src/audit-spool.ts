import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { uuidv7 } from '#libs/database';
import type { AuditRecord } from './audit-record.js';
import type { Commitment, SealedValue } from './keeping/index.js';

/** An event that happened while the database could not take it. */
export interface SpooledEvent {
  id: string;
  /** RFC 3339. */
  occurredAt: string;
  record: Omit<AuditRecord, 'personal'>;
  personal?: { refs: Commitment[]; rows: SealedValue[] };
}

/** The spool has no room left, so the act that it should tell of must not happen. */
export class AuditSpoolFull extends Error {
  constructor(limitBytes: number) {
    super(`The audit spool holds ${limitBytes} bytes already`);
    this.name = 'AuditSpoolFull';
  }
}

const LIMIT_BYTES = 64 * 1_048_576;
/** What another process has not touched for this long was left by one that is gone. */
const ORPHANED_AFTER_MS = 60_000;
const BATCH = 200;
const LINES = '.ndjson';
const DRAINING = '.draining';

/**
 * Keeps audit events on this machine's disk until the database is back. Every event has its id from the beginning, so
 * writing one twice has no effect: a drain that is cut off is simply done again.
 */
export class AuditSpool {
  private readonly own = `${randomUUID()}${LINES}`;
  private waiting: { line: string; done: PromiseWithResolvers<void> }[] = [];
  private writing = false;
  private underWay: Promise<unknown> = Promise.resolve();
  /** Of ours: what waits to be written to the disk, and what lies there. */
  private bytes = 0;
  private isDraining = false;

  constructor(
    private readonly folder: string,
    private readonly limitBytes = LIMIT_BYTES,
  ) {}

  /**
   * Resolves when the event is durable. Events that arrive together share one write.
   *
   * @throws AuditSpoolFull
   */
  append(event: SpooledEvent): Promise<void> {
    const line = `${JSON.stringify(event)}\n`;
    const size = Buffer.byteLength(line);
    if (this.bytes + size > this.limitBytes) throw new AuditSpoolFull(this.limitBytes);
    this.bytes += size;
    const done = Promise.withResolvers<void>();
    this.waiting.push({ line, done });
    void this.flush();
    return done.promise;
  }

  /**
   * Hands the events to `write`, oldest first and so many at a time, and forgets those of a file once all of it has been
   * written. While one drain is under way, another one has nothing to do.
   *
   * @returns how many there were; what `write` throws ends the drain, and the rest stays
   */
  async drain(write: (events: SpooledEvent[]) => Promise<void>): Promise<number> {
    if (this.isDraining) return 0;
    this.isDraining = true;
    try {
      let count = 0;
      for (const path of await this.takeFiles()) count += await this.drainFile(path, write);
      return count;
    } finally {
      this.isDraining = false;
    }
  }

  private async drainFile(path: string, write: (events: SpooledEvent[]) => Promise<void>): Promise<number> {
    let [count, bytes, batch] = [0, 0, [] as SpooledEvent[]];
    const pass = async () => {
      if (batch.length > 0) await write(batch);
      count += batch.length;
      batch = [];
    };
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      bytes += Buffer.byteLength(line) + 1;
      batch.push(...parse(line));
      if (batch.length === BATCH) await pass();
    }
    await pass();
    await rm(path, { force: true });
    this.bytes = Math.max(0, this.bytes - bytes);
    return count;
  }

  private async flush(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0);
      const text = batch.map(({ line }) => line).join('');
      const write = this.write(text).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      this.underWay = write;
      const written = await write;
      if (written) this.bytes = Math.max(0, this.bytes - Buffer.byteLength(text));
      for (const { done } of batch)
        if (written) done.reject(written.error);
        else done.resolve();
    }
    this.writing = false;
  }

  /**
   * A drain takes our file away by renaming it, and so does another process that believes us gone. If that happened before
   * the text was on the disk, nobody knows whether it has been read: then it is written once more, to a new file.
   */
  private async write(text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    while (!(await appendTo(join(this.folder, this.own), text)));
  }

  /** Our own file, what a drain left that was cut off, and the files of processes that are gone. */
  private async takeFiles(): Promise<string[]> {
    const names = await readdir(this.folder).catch(unlessMissing);
    if (!names) return [];
    const taken: string[] = [];
    for (const name of names.sort()) {
      const path = join(this.folder, name);
      if (name.endsWith(DRAINING)) taken.push(path);
      else if (name === this.own || (name.endsWith(LINES) && (await isOrphan(path)))) {
        // A write that is under way would have to be done once more.
        if (name === this.own) await this.underWay;
        // A name of its own: one that a drain left behind must not be written over.
        const draining = `${path}.${uuidv7()}${DRAINING}`;
        const isOurs = await rename(path, draining).then(() => true, unlessMissing);
        if (isOurs) taken.push(draining);
      }
    }
    return taken;
  }
}

/**
 * Appends behind a line feed, so that nothing runs into a line that a full disk cut off.
 *
 * @returns whether the file still has its name when all is on the disk: whoever takes it from then on finds the text in it
 */
async function appendTo(path: string, text: string): Promise<boolean> {
  const file = await open(path, 'a', 0o600);
  try {
    const { ino, size } = await file.stat();
    await file.appendFile(`\n${text}`);
    await file.datasync();
    // Without it the name of a new file may be gone after a power cut.
    if (size === 0) await syncFolder(dirname(path));
    return (await stat(path).catch(unlessMissing))?.ino === ino;
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function isOrphan(path: string): Promise<boolean> {
  const found = await stat(path).catch(unlessMissing);
  return found !== undefined && Date.now() - found.mtimeMs > ORPHANED_AFTER_MS;
}

/** A line that a crash cut off was never acknowledged, so nothing rests on it. */
function parse(line: string): SpooledEvent[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as SpooledEvent];
  } catch {
    return [];
  }
}
