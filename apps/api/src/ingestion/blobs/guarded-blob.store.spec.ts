import { Readable } from 'node:stream';
import { PolicyRegistry } from '#libs/resilience';
import { ContentMissing, StorageUnavailable } from '../ingestion.errors.js';
import { BlobStore, type StagedBlob } from './blob.store.js';
import { GuardedBlobStore } from './guarded-blob.store.js';

/** A store that does what the test says. */
class FakeStore extends BlobStore {
  trouble: Error | undefined;
  calls = 0;
  private attempt<T>(value: T): Promise<T> {
    this.calls += 1;
    return this.trouble ? Promise.reject(this.trouble) : Promise.resolve(value);
  }
  prepare = () => this.attempt(undefined);
  receive = async (): Promise<StagedBlob> => ({
    sha256: Buffer.alloc(32),
    sizeBytes: 1,
    read: () => Readable.from([]),
    keep: () => this.attempt(undefined),
    discard: async () => undefined,
  });
  read = () => this.attempt({ stream: Readable.from([]), sizeBytes: 0 });
  readWhole = () => this.attempt(Buffer.alloc(0));
  localPath = () => this.attempt('/a/path');
  delete = () => this.attempt(undefined);
  deleteTenant = () => this.attempt(undefined);
  list = () => Readable.from([]);
  removeStale = () => this.attempt(0);
}

const OPTIONS = {
  limitBytes: 1,
  headBytes: 1,
  inspect: () => undefined,
  signal: new AbortController().signal,
};

describe('a blob store under its policy', () => {
  let inner: FakeStore;
  let store: GuardedBlobStore;
  beforeEach(() => {
    inner = new FakeStore();
    const policy = new PolicyRegistry().define('blob-store', {
      attemptTimeoutMs: 1_000,
      breaker: { minimumCalls: 5 },
    });
    store = new GuardedBlobStore(inner, policy);
  });

  it('hands everything on while the disk works', async () => {
    const staged = await store.receive([] as never, 'tenant', OPTIONS);
    await staged.keep();
    await expect(store.localPath('tenant', staged.sha256)).resolves.toBe('/a/path');
  });

  it('refuses an upload before its first byte once the disk has failed often enough', async () => {
    inner.trouble = new StorageUnavailable();
    for (let i = 0; i < 5; i++) await expect(store.prepare()).rejects.toThrow(StorageUnavailable);
    inner.trouble = undefined;
    await expect(store.receive([] as never, 'tenant', OPTIONS)).rejects.toThrow(StorageUnavailable);
    expect(inner.calls).toBe(5);
  });

  it('goes on when content is missing, which is not the fault of the disk', async () => {
    inner.trouble = new ContentMissing();
    for (let i = 0; i < 20; i++)
      await expect(store.localPath('tenant', Buffer.alloc(32))).rejects.toThrow(ContentMissing);
    expect(inner.calls).toBe(20);
  });
});
