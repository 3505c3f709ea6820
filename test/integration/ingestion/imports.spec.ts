import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PolicyRegistry } from '#libs/resilience';
import { LocalBlobStore } from '../../../apps/api/src/ingestion/blobs/local-blob.store.js';
import { OrphanSweep } from '../../../apps/api/src/ingestion/blobs/orphan-sweep.js';
import { AttachmentStore } from '../../../apps/api/src/ingestion/documents/attachment.store.js';
import { DocumentStore } from '../../../apps/api/src/ingestion/documents/document.store.js';
import { Archives } from '../../../apps/api/src/ingestion/imports/archives.js';
import type { ClaimedItem, NewItem } from '../../../apps/api/src/ingestion/imports/import.js';
import { ItemLost } from '../../../apps/api/src/ingestion/imports/import.errors.js';
import { ImportFetcher } from '../../../apps/api/src/ingestion/imports/import-fetcher.js';
import { ImportQueue } from '../../../apps/api/src/ingestion/imports/import-queue.js';
import { ImportStore } from '../../../apps/api/src/ingestion/imports/import.store.js';
import { importSection } from '../../../apps/api/src/ingestion/imports/imports.config.js';
import { ItemWork } from '../../../apps/api/src/ingestion/imports/item-work.js';
import { StorageUnavailable } from '../../../apps/api/src/ingestion/ingestion.errors.js';
import { JobStore } from '../../../apps/api/src/ingestion/jobs/job.store.js';
import { DocumentPasswords } from '../../../apps/api/src/ingestion/passwords/document-passwords.js';
import { SealingKey } from '#libs/secrets';
import { NoScanner } from '../../../apps/api/src/ingestion/scan/scanner.js';
import { Intake } from '../../../apps/api/src/ingestion/uploads/intake.js';
import { UploadService } from '../../../apps/api/src/ingestion/uploads/upload.service.js';
import { type Owner, workerConfig } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { zipFile } from '../../support/zip-file.js';

const never = new AbortController().signal;
const imports = new ImportStore();
const documents = new DocumentStore();
const config = importSection.schema.parse({ maxItems: 5 });
const worker = workerConfig({ leaseMs: 600_000, maxAttempts: 3, retryDelayMs: 0 });
let db: TestDatabase;
let folder: string;
let blobs: LocalBlobStore;
let queue: ImportQueue;
let intake: Intake;
let archives: Archives;
let work: ItemWork;
let owner: Owner;

beforeAll(async () => {
  db = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'navigator-imports-'));
  blobs = new LocalBlobStore(folder);
  queue = new ImportQueue(db.tenantDb, worker);
  intake = new Intake(blobs, new NoScanner(), { maxBytes: 1_000_000 });
  archives = new Archives(db.tenantDb, blobs, documents, new NoScanner(), config);
  const uploads = new UploadService(
    db.tenantDb,
    documents,
    new JobStore(db.tenantDb, worker),
    new AttachmentStore(),
    new DocumentPasswords(new SealingKey(Buffer.alloc(32, 7))),
    intake,
  );
  const fetcher = new ImportFetcher(intake, new PolicyRegistry({}), config);
  work = new ItemWork(queue, imports, archives, fetcher, intake, uploads, worker, config);
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.owner.query('delete from import_batch');
  await db.owner.query('delete from document');
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  owner = await db.createTenant();
});

async function addImport(items: NewItem[], of = owner): Promise<string> {
  const id = randomUUID();
  await db.tenantDb.run(of.tenantId, async (tx) => {
    const fields = { visibility: 'private' as const, tags: [] };
    await imports.insert(tx, { id, ownerId: of.userId, fields, correlationId: 'c', isReceiving: false });
    await imports.addItems(tx, id, items);
  });
  return id;
}

async function addArchive(files: Record<string, string>): Promise<string> {
  const bytes = zipFile(files);
  const staged = await archives.receive(owner.tenantId, Readable.from([bytes]), never);
  await staged.keep();
  return addImport([{ kind: 'archive', name: 'a.zip', archiveSha256: staged.sha256 }]);
}

const claim = async (workerId = 'worker-1'): Promise<ClaimedItem> => (await queue.claim(workerId))!;
const items = async () =>
  (
    await db.owner.query(
      `select kind, name, state, reason_code as code, attempts from import_item order by batch_id, ordinal`,
    )
  ).rows;
const count = async (table: string) =>
  Number((await db.owner.query(`select count(*) from ${table}`)).rows[0].count);
const files = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
const url = (name: string): NewItem => ({ kind: 'url', name, url: `https://example.com/${name}` });

describe('what imports wait for', () => {
  it('is claimed tenant by tenant, and nothing of a paused import', async () => {
    const other = await db.createTenant();
    await addImport([url('a1'), url('a2'), url('a3')]);
    await addImport([url('b1')], other);
    const paused = await addImport([url('p1')], other);
    await db.tenantDb.run(other.tenantId, (tx) => imports.setState(tx, paused, 'paused'));
    const names = [];
    for (let item = await claim(); item; item = await claim()) names.push(item.name);
    expect(names.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1']);
    expect(names.indexOf('b1')).toBeLessThan(2);
  });

  it('is unpacked one by one, and made documents of; the archive stays until the last', async () => {
    const id = await addArchive({ 'x/one.txt': 'One.', 'two.txt': 'Two.' });
    expect(await work.run(await claim(), never)).toBe('unpacked');
    expect(await items()).toMatchObject([{ name: 'one.txt' }, { name: 'two.txt' }]);
    expect(await work.run(await claim(), never)).toBe('accepted');
    const sweep = new OrphanSweep(db.tenantDb, documents, blobs);
    expect(await sweep.sweep()).toBe(0);
    expect(await files()).toBe(2);
    expect(await work.run(await claim(), never)).toBe('accepted');
    expect(await files()).toBe(2);
    expect(await count('job')).toBe(2);
    expect(await queue.finish()).toEqual([]);
    await db.owner.query(`update job set state = 'done'`);
    expect(await queue.finish()).toMatchObject([{ id, tenantId: owner.tenantId }]);
    expect(await queue.finish()).toEqual([]);
  });

  it('is neither lost nor doubled when its worker dies, and whoever wakes up late writes nothing', async () => {
    await addArchive({ 'one.txt': 'One.' });
    await work.run(await claim(), never);
    const first = await claim('dead');
    expect(await queue.claim('worker-2')).toBeUndefined();
    expect(await queue.reclaim(['dead'])).toBe(1);
    const second = await claim('worker-2');
    expect(second).toMatchObject({ ordinal: first.ordinal, attempts: 1 });
    expect(await work.run(first, never)).toBe('lost');
    expect(await count('document')).toBe(0);
    expect(await queue.renew(first)).toBe(false);
    expect(await work.run(second, never)).toBe('accepted');
    expect(await work.run(second, never)).toBe('lost');
    expect([await count('document'), await count('job')]).toEqual([1, 1]);
  });

  it('is given back when a lease has run out', async () => {
    await addImport([url('a')]);
    await claim();
    expect(await queue.reclaim()).toBe(0);
    await db.owner.query(`update import_item set lease_until = now() - interval '1 second'`);
    expect(await queue.reclaim()).toBe(1);
    expect(await items()).toMatchObject([{ state: 'waiting', attempts: 1 }]);
  });

  it('is settled together with its document or not at all', async () => {
    await addArchive({ 'one.txt': 'One.' });
    await work.run(await claim(), never);
    const item = await claim();
    const failing = queue.settle(item, async (tx) => {
      await queue.accept(tx, item, { documentId: randomUUID(), name: 'x', sizeBytes: 1, isRepeat: false });
    });
    await expect(failing).rejects.toThrow();
    expect(await items()).toMatchObject([{ name: 'one.txt', state: 'running' }]);
    await db.tenantDb.run(owner.tenantId, (tx) => imports.cancelItems(tx, item.batchId));
    await expect(queue.settle(item, async () => undefined)).rejects.toThrow(ItemLost);
  });

  it('goes back unharmed when the worker stops, or what it needs is away', async () => {
    await addArchive({ 'one.txt': 'One.' });
    await work.run(await claim(), never);
    const stopped = new AbortController();
    stopped.abort();
    expect(await work.run(await claim(), stopped.signal)).toBe('released');
    const receive = intake.receive.bind(intake);
    intake.receive = () => Promise.reject(new StorageUnavailable());
    expect(await work.run(await claim(), never)).toBe('deferred');
    intake.receive = receive;
    expect(await items()).toMatchObject([{ state: 'waiting', attempts: 0 }]);
    await db.owner.query(`update import_item set run_at = now()`);
    expect(await work.run(await claim(), never)).toBe('accepted');
  });

  it('is refused after a few attempts that failed by a fault of ours', async () => {
    await addArchive({ 'one.txt': 'One.' });
    await work.run(await claim(), never);
    await db.owner.query(`update import_item set attempts = 3`);
    expect(await work.run(await claim(), never)).toBe('refused');
    expect(await items()).toMatchObject([{ state: 'refused', code: 'attempts-exhausted' }]);
    expect(await files()).toBe(0);
  });

  it.each([
    ['too-many-items', Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.txt`, `File ${i}.`]))],
    ['archive-empty', { '__MACOSX/x': 'x', '.hidden': 'x', 'folder/': '' }],
    ['archive-not-safe', { '../../etc/passwd': 'x' }],
    ['archive-not-safe', { 'zeros.txt': '0'.repeat(20_000_000) }],
  ])('says %s of an archive that is not unpacked', async (code, entries) => {
    await addArchive(entries as Record<string, string>);
    expect(await work.run(await claim(), never)).toBe('refused');
    expect(await items()).toMatchObject([{ kind: 'archive', state: 'refused', code }]);
    expect(await files()).toBe(0);
  });

  it('is forgotten some time after its end, and its documents stay', async () => {
    await addArchive({ 'one.txt': 'One.' });
    await work.run(await claim(), never);
    await work.run(await claim(), never);
    await db.owner.query(`update import_batch set finished_at = now() - interval '10 days'`);
    await queue.forget(11);
    expect(await count('import_item')).toBe(1);
    await queue.forget(9);
    expect([await count('import_batch'), await count('import_item'), await count('document')]).toEqual([
      0, 0, 1,
    ]);
  });
});
