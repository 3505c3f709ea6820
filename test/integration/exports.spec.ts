import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { AuditKeys, openNote } from '#libs/audit';
import { DependencyUnavailable } from '#libs/errors';
import {
  type ExportConfig,
  ExportFiles,
  type ExportJob,
  ExportKind,
  ExportKinds,
  ExportNotFound,
  ExportNotReady,
  type ExportParameters,
  ExportRunner,
  Exports,
  type ExportSink,
  MANIFEST_FORMAT,
  TooManyExports,
} from '#libs/exports';
import { until } from '../support/faulty-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const CONFIG: ExportConfig = {
  concurrency: 2,
  waitingPerTenant: 2,
  keptPerTenant: 3,
  maxBytes: 100_000,
  keepHours: 1,
  leaseMs: 1_000,
  pollMs: 10,
};

type Writing = (out: ExportSink, signal: AbortSignal) => Promise<{ rows: number }>;

/** Writes what the test says. */
class Letters extends ExportKind {
  override readonly kind = 'letters';
  writing: Writing = async (out) => {
    await out.write('abc');
    return { rows: 3 };
  };
  override fileOf = ({ gzip }: ExportParameters) => ({
    name: 'letters.txt',
    mediaType: 'text/plain',
    gzip: gzip === true,
  });
  override write = (_: ExportJob, out: ExportSink, signal: AbortSignal) => this.writing(out, signal);
}

describe('exports', () => {
  let db: TestDatabase;
  let folder: string;
  let keys: AuditKeys;
  let kind: Letters;
  let exports: Exports;
  let runner: ExportRunner;
  let tenantId: string;
  const userId = randomUUID();

  beforeAll(async () => {
    db = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'navigator-exports-'));
    keys = await AuditKeys.loadOrCreate(join(folder, 'keys.json'));
  });
  afterAll(async () => {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await db.owner.query('delete from export_job');
    await rm(join(folder, 'files'), { recursive: true, force: true });
    tenantId = (await db.createTenant()).tenantId;
    const kinds = new ExportKinds();
    kinds.register((kind = new Letters()));
    const files = new ExportFiles(join(folder, 'files'));
    exports = new Exports(db.tenantDb, kinds, files, CONFIG);
    runner = new ExportRunner(db.tenantDb, kinds, files, keys, CONFIG);
  });

  const filter = (of = tenantId) => ({ tenantId: of, kinds: ['letters'] });
  const ask = (parameters: ExportParameters = {}, of = tenantId) =>
    db.tenantDb.run(of, (tx) =>
      exports.request(tx, { tenantId: of, requestedBy: userId, kind: 'letters', parameters }),
    );
  const find = (id: string) => exports.get(filter(), id);
  const read = async (job: ExportJob, range?: string) => text((await exports.open(job, { range })).stream);
  const filesOf = (of = tenantId) => readdir(join(folder, 'files', of)).catch(() => []);
  const take = async () => (await runner.claim())!;
  const run = async () => runner.work(await take());

  it('are written, and say in a signed manifest what they are', async () => {
    const { id } = await ask({ from: 'a' });
    expect(await find(id)).toMatchObject({ state: 'queued', rows: 0, manifest: null });
    await run();
    const ready = await find(id);
    const sha256 = createHash('sha256').update('abc').digest('hex');
    expect(ready).toMatchObject({ state: 'ready', rows: 3, bytes: 3, sha256, fileName: 'letters.txt' });
    expect(await read(ready)).toBe('abc');
    expect(await read(ready, 'bytes=1-2')).toBe('bc');
    const [format, content] = openNote(ready.manifest!, keys.verifiers).split('\n');
    expect(format).toBe(MANIFEST_FORMAT);
    expect(JSON.parse(content!)).toMatchObject({
      id,
      tenant_id: tenantId,
      requested_by: userId,
      sha256,
      bytes: 3,
      rows: 3,
      parameters: { from: 'a' },
    });
    expect(await filesOf()).toEqual([id]);
    expect(await runner.claim()).toBeUndefined();
  });

  it('are compressed where they are asked to be', async () => {
    const { id } = await ask({ gzip: true });
    await run();
    const ready = await find(id);
    const chunks = await (await exports.open(ready)).stream.toArray();
    const file = Buffer.concat(chunks as Buffer[]);
    expect(gunzipSync(file).toString()).toBe('abc');
    expect(ready).toMatchObject({
      fileName: 'letters.txt.gz',
      bytes: file.length,
      sha256: createHash('sha256').update(file).digest('hex'),
    });
  });

  it('of a process that died are written by another, and what the first one still does is nothing', async () => {
    const { id } = await ask();
    const first = await take();
    expect(await runner.claim()).toBeUndefined();
    await db.owner.query(`update export_job set lease_until = now() - interval '1 second'`);
    kind.writing = async (out) => {
      await out.write('second');
      return { rows: 6 };
    };
    await run();
    kind.writing = async (out) => {
      await out.write('first');
      return { rows: 5 };
    };
    await runner.work(first);
    const ready = await find(id);
    expect(ready).toMatchObject({ state: 'ready', rows: 6 });
    expect(await read(ready)).toBe('second');
    expect(await filesOf()).toEqual([id]);
  });

  it('of a process that is killed are begun anew once it has given no sign of life for the length of a lease', async () => {
    const { id } = await ask();
    const main = join(process.cwd(), 'dist/test/support/export-writer-main.js');
    const writer = spawn(process.execPath, [main, db.appUrl, folder, JSON.stringify(CONFIG)]);
    try {
      await once(writer.stdout, 'data');
      expect(await find(id)).toMatchObject({ state: 'running' });
      expect((await filesOf())[0]).toMatch(/\.part$/);
      expect(await runner.claim()).toBeUndefined();
    } finally {
      writer.kill('SIGKILL');
      await once(writer, 'exit');
    }
    let taken: Awaited<ReturnType<ExportRunner['claim']>>;
    await until(async () => (taken = await runner.claim()) !== undefined);
    expect(taken).toMatchObject({ id, attempts: 2 });
    await runner.work(taken!);
    expect(await read(await find(id))).toBe('abc');
    await runner.sweep();
    expect(await filesOf()).toEqual([id]);
  });

  it('over which three processes died are given up', async () => {
    const { id } = await ask();
    for (let i = 0; i < 3; i++) {
      expect(await take()).toMatchObject({ id, attempts: i + 1 });
      await db.owner.query(`update export_job set lease_until = now() - interval '1 second'`);
    }
    expect(await runner.claim()).toBeUndefined();
    await runner.sweep();
    expect(await find(id)).toMatchObject({ state: 'failed', reason: 'export-abandoned' });
  });

  it('show how many rows there are so far, and end at once when they are cancelled', async () => {
    const { id } = await ask();
    const written = Promise.withResolvers<void>();
    kind.writing = async (out, signal) => {
      out.progress(7);
      written.resolve();
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
      return { rows: 0 };
    };
    const running = run();
    await written.promise;
    while ((await find(id)).rows !== 7) await new Promise(setImmediate);
    expect((await filesOf())[0]).toMatch(/\.part$/);
    await exports.cancel(filter(), id);
    await running;
    expect(await find(id)).toMatchObject({ state: 'cancelled', rows: 7, reason: null });
    expect(await filesOf()).toEqual([]);
  });

  it('have no file any more when they are removed', async () => {
    const { id } = await ask();
    await run();
    await exports.cancel(filter(), id);
    const removed = await find(id);
    expect(removed).toMatchObject({ state: 'cancelled', sha256: null, bytes: null });
    await expect(exports.open(removed)).rejects.toThrow(ExportNotReady);
    expect(await filesOf()).toEqual([]);
  });

  it('fail at once when they are too large, and after three attempts when something is away', async () => {
    const { id } = await ask();
    kind.writing = async (out) => {
      for (;;) await out.write('x'.repeat(60_000));
    };
    await run();
    expect(await find(id)).toMatchObject({ state: 'failed', reason: 'export-too-large' });

    const other = await ask();
    kind.writing = () => Promise.reject(new DependencyUnavailable('something'));
    for (let i = 0; i < 3; i++) {
      await run();
      await db.owner.query('update export_job set run_at = now()');
    }
    expect(await find(other.id)).toMatchObject({ state: 'failed', reason: 'dependency-unavailable' });
    expect(await filesOf()).toEqual([]);
  });

  it('of one tenant are few, and each tenant has its turn', async () => {
    await ask();
    await ask();
    await expect(ask()).rejects.toThrow(TooManyExports);
    const other = (await db.createTenant()).tenantId;
    await ask({}, other);
    expect((await take()).tenantId).toBe(tenantId);
    expect((await take()).tenantId).toBe(other);
    await db.owner.query(`delete from export_job where state = 'running'`);
    await run();
    await ask();
    await run();
    await ask();
    await run();
    await expect(ask()).rejects.toThrow(TooManyExports);
  });

  it('are not there for another tenant, nor for who may see other kinds only', async () => {
    const { id } = await ask();
    const other = (await db.createTenant()).tenantId;
    await expect(exports.get(filter(other), id)).rejects.toThrow(ExportNotFound);
    await expect(exports.cancel(filter(other), id)).rejects.toThrow(ExportNotFound);
    await expect(exports.get({ tenantId, kinds: ['digits'] }, id)).rejects.toThrow(ExportNotFound);
    await expect(exports.get({ ...filter(), requestedBy: randomUUID() }, id)).rejects.toThrow(ExportNotFound);
    expect(await exports.list(filter(other), { limit: 10 })).toEqual([]);
    expect(await exports.list(filter(), { limit: 10 })).toHaveLength(1);
  });

  it('expire, and the sweep leaves no file that belongs to none', async () => {
    const [expired, kept] = [await ask(), await ask()];
    await run();
    await run();
    await db.owner.query(`update export_job set expires_at = now() - interval '1 second' where id = $1`, [
      expired.id,
    ]);
    const stranger = randomUUID();
    await mkdir(join(folder, 'files', stranger));
    for (const name of [randomUUID(), 'anything', `${kept.id}.${randomUUID()}.part`])
      for (const tenant of [stranger, tenantId]) await writeFile(join(folder, 'files', tenant, name), 'x');
    expect(await runner.sweep()).toBe(7);
    expect(await find(expired.id)).toMatchObject({ state: 'expired', sha256: null });
    expect([await filesOf(), await filesOf(stranger)]).toEqual([[kept.id], []]);
    expect(await read(await find(kept.id))).toBe('abc');
  });

  it('are put back when the process stops, without counting that as an attempt', async () => {
    const { id } = await ask();
    const begun = Promise.withResolvers<void>();
    kind.writing = async (_, signal) => {
      begun.resolve();
      await new Promise((__, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
      return { rows: 0 };
    };
    const running = run();
    await begun.promise;
    await runner.beforeApplicationShutdown();
    await running;
    expect(await find(id)).toMatchObject({ state: 'queued' });
    expect((await take()).attempts).toBe(1);
  });
});
