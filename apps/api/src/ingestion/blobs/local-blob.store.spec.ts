import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContentMissing, DocumentTooLarge, StorageUnavailable } from '../ingestion.errors.js';
import type { ReceiveOptions } from './blob.store.js';
import { LocalBlobStore } from './local-blob.store.js';

const tenantId = randomUUID();
const sha256 = (text: string) => createHash('sha256').update(text).digest();

let folder: string;
let store: LocalBlobStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'navigator-blobs-'));
  store = new LocalBlobStore(join(folder, 'blobs'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

function options(rest: Partial<ReceiveOptions> = {}): ReceiveOptions {
  return {
    limitBytes: 100,
    headBytes: 4,
    inspect: () => undefined,
    signal: new AbortController().signal,
    ...rest,
  };
}

const filesLeft = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** The superuser may do everything, so he acts as nobody meanwhile. */
async function withoutRights<T>(work: () => Promise<T>): Promise<T> {
  const user = process.geteuid!();
  await chmod(folder, 0);
  if (user === 0) process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    if (user === 0) process.seteuid!(user);
    await chmod(folder, 0o700);
  }
}

async function listAll() {
  const all = [];
  for await (const blob of store.list()) all.push(blob);
  return all;
}

describe('the local blob store', () => {
  it('keeps content under its hash, readable by nobody else, and gives it back', async () => {
    const staged = await store.receive(chunks('hel', 'lo'), tenantId, options());
    expect(staged.sha256).toEqual(sha256('hello'));
    expect(staged.sizeBytes).toBe(5);
    await expect(store.read(tenantId, staged.sha256)).rejects.toThrow(ContentMissing);

    await staged.keep();
    await staged.discard();
    const { stream, sizeBytes } = await store.read(tenantId, staged.sha256);
    expect(await readAll(stream)).toBe('hello');
    expect(sizeBytes).toBe(5);
    const path = await store.localPath(tenantId, staged.sha256);
    const name = staged.sha256.toString('hex');
    expect(path).toBe(join(folder, 'blobs', tenantId, name.slice(0, 2), name));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing of content that is discarded', async () => {
    const staged = await store.receive(chunks('hello'), tenantId, options());
    await staged.discard();
    expect(await filesLeft()).toEqual([]);
  });

  it('refuses what is too large while it arrives, and leaves nothing', async () => {
    let sent = 0;
    async function* endless() {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(30);
      }
    }
    await expect(store.receive(endless(), tenantId, options())).rejects.toThrow(DocumentTooLarge);
    expect(sent).toBe(4);
    expect(await filesLeft()).toEqual([]);
  });

  it('takes content of exactly the limit', async () => {
    const staged = await store.receive(chunks('x'.repeat(100)), tenantId, options());
    expect(staged.sizeBytes).toBe(100);
  });

  it('shows the first bytes as soon as they are there, once, and leaves nothing when they are refused', async () => {
    const heads: string[] = [];
    const inspect = (head: Buffer) => void heads.push(head.toString());
    await store.receive(chunks('a', 'bc', 'defg', 'hi'), tenantId, options({ inspect }));
    await store.receive(chunks('xy'), tenantId, options({ inspect }));
    await store.receive(chunks(), tenantId, options({ inspect }));
    expect(heads).toEqual(['abcd', 'xy', '']);

    const refuse = async () => {
      throw new Error('not that');
    };
    await rm(folder, { recursive: true });
    await expect(
      store.receive(chunks('abcd', 'more'), tenantId, options({ inspect: refuse })),
    ).rejects.toThrow('not that');
    expect(await filesLeft()).toEqual([]);
  });

  it('leaves nothing when the client leaves', async () => {
    const client = new AbortController();
    async function* leaving() {
      yield Buffer.from('hello');
      client.abort(new Error('the client left'));
      yield Buffer.from('more');
    }
    const receiving = store.receive(leaving(), tenantId, options({ signal: client.signal }));
    await expect(receiving).rejects.toThrow('the client left');
    expect(await filesLeft()).toEqual([]);
  });

  it('leaves nothing when the source breaks off', async () => {
    async function* broken() {
      yield Buffer.from('hello');
      throw new Error('reset');
    }
    await expect(store.receive(broken(), tenantId, options())).rejects.toThrow('reset');
    expect(await filesLeft()).toEqual([]);
  });

  it('says that the storage is unavailable when it may not write, while receiving and while keeping', async () => {
    const staged = await store.receive(chunks('hello'), tenantId, options());
    const [keeping, receiving] = await withoutRights(() =>
      Promise.allSettled([staged.keep(), store.receive(chunks('more'), tenantId, options())]),
    );
    expect(keeping).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailable) });
    expect(receiving).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailable) });
    await staged.keep();
    expect(await filesLeft()).toEqual([sha256('hello').toString('hex')]);
  });

  it('mends a damaged file when the same content comes again', async () => {
    const first = await store.receive(chunks('hello'), tenantId, options());
    await first.keep();
    await writeFile(await store.localPath(tenantId, first.sha256), 'damaged');
    await (await store.receive(chunks('hello'), tenantId, options())).keep();
    expect(await readAll((await store.read(tenantId, first.sha256)).stream)).toBe('hello');
    expect(await filesLeft()).toHaveLength(1);
  });

  it('keeps the same content of two tenants apart', async () => {
    const other = randomUUID();
    for (const tenant of [tenantId, other])
      await (await store.receive(chunks('hello'), tenant, options())).keep();
    await store.delete(tenantId, sha256('hello'));
    await expect(store.read(tenantId, sha256('hello'))).rejects.toThrow(ContentMissing);
    expect(await readAll((await store.read(other, sha256('hello'))).stream)).toBe('hello');
  });

  it('deletes what is not there without complaint', async () => {
    await expect(store.delete(tenantId, sha256('nothing'))).resolves.toBeUndefined();
  });

  it('lists what it keeps, and nothing else', async () => {
    expect(await listAll()).toEqual([]);
    await (await store.receive(chunks('hello'), tenantId, options())).keep();
    await store.receive(chunks('still arriving'), tenantId, options());
    await writeFile(join(folder, 'blobs', 'README'), 'a stranger');
    expect(await listAll()).toEqual([{ tenantId, sha256: sha256('hello') }]);
  });

  it('removes what an ended process left half received, but not what is arriving now', async () => {
    await store.receive(chunks('old'), tenantId, options());
    const [name] = await readdir(join(folder, 'blobs', 'incoming'));
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, 'blobs', 'incoming', name!), anHourAgo, anHourAgo);
    await store.receive(chunks('new'), tenantId, options());
    expect(await store.removeStale(3_000_000)).toBe(1);
    expect(await filesLeft()).toHaveLength(1);
  });

  it('never makes a path of anything that is not a key', async () => {
    await expect(store.read('../../etc', sha256('hello'))).rejects.toThrow('key of a blob');
    await expect(store.read(tenantId, Buffer.from('passwd'))).rejects.toThrow('key of a blob');
  });
});
