import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
  private bytes = 0;
  private known = false;

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
    if (this.bytes + line.length > this.limitBytes) throw new AuditSpoolFull(this.limitBytes);
    this.bytes += line.length;
    const done = Promise.withResolvers<void>();
    this.waiting.push({ line, done });
    void this.flush();
    return done.promise;
  }

  /**
   * Hands the events to `write`, oldest first and so many at a time, and forgets those of a file once all of it has been
   * written.
   *
   * @returns how many there were; what `write` throws ends the drain, and the rest stays
   */
  async drain(write: (events: SpooledEvent[]) => Promise<void>): Promise<number> {
    if (this.known && this.bytes === 0) return 0;
    let count = 0;
    for (const path of await this.takeFiles()) {
      const events = (await readFile(path, 'utf8')).split('\n').flatMap(parse);
      for (let at = 0; at < events.length; at += BATCH) await write(events.slice(at, at + BATCH));
      count += events.length;
      this.bytes = Math.max(0, this.bytes - (await stat(path)).size);
      await rm(path, { force: true });
    }
    this.known = true;
    return count;
  }

  private async flush(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0);
      const written = await this.write(batch.map(({ line }) => line).join('')).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      for (const { done } of batch)
        if (written) done.reject(written.error);
        else done.resolve();
    }
    this.writing = false;
  }

  /** Opened anew each time, because the drain takes the file away by renaming it. */
  private async write(text: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = await open(join(this.folder, this.own), 'a', 0o600);
    try {
      await file.appendFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Our own file, what a drain left that was cut off, and the files of processes that are gone. */
  private async takeFiles(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => [] as string[]);
    const taken: string[] = [];
    for (const name of names.sort()) {
      const path = join(this.folder, name);
      if (name.endsWith(DRAINING)) taken.push(path);
      else if (name === this.own || (name.endsWith(LINES) && (await isOrphan(path)))) {
        // A name of its own: one that a drain left behind must not be written over.
        const draining = `${path}.${uuidv7()}${DRAINING}`;
        await rename(path, draining);
        taken.push(draining);
      }
    }
    return taken;
  }
}

async function isOrphan(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
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
