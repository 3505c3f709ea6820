import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { type AuditLog, LegalHoldInForce } from '#libs/audit';
import type { TenantDb } from '#libs/database';
import { DependencyUnavailable } from '#libs/errors';
import type { DocumentRemoval } from '../../ingestion/index.js';
import type { RetentionService } from './retention.service.js';
import { RetentionSweep } from './retention-sweep.js';

/** Tenants with documents that are due, in memory. What is in `fails` cannot be removed. */
class World {
  readonly due = new Map<string, string[]>();
  readonly fails = new Map<string, Error>();
  readonly removed: string[] = [];
  afterRemoval = () => {};

  tenant(...documents: string[]): string {
    const id = randomUUID();
    this.due.set(id, documents);
    return id;
  }

  sweep(): Promise<number> {
    const tx = { query: async () => [...this.due.keys()].map((id) => ({ id })) } as unknown as EntityManager;
    const run = (_: string, work: (tx: EntityManager) => Promise<unknown>) => work(tx);
    const db = { read: run, run, runAsWorker: (work: (tx: EntityManager) => unknown) => work(tx) };
    const retention = {
      due: async (_: EntityManager, tenantId: string, { id, limit }: { id?: string; limit: number }) =>
        this.due
          .get(tenantId)!
          .filter((each) => id === undefined || each === id)
          .slice(0, limit)
          .map((each) => ({ id: each, ownerId: 'o', collection: null, expiresAt: new Date(0), held: false })),
    };
    const removal = { lock: async () => undefined, remove: this.remove, settle: async () => undefined };
    return new RetentionSweep(
      db as unknown as TenantDb,
      retention as unknown as RetentionService,
      removal as unknown as DocumentRemoval,
      { append: async () => undefined } as unknown as AuditLog,
    ).sweep(new AbortController().signal);
  }

  private readonly remove = async (_: EntityManager, id: string) => {
    const failure = this.fails.get(id);
    if (failure) throw failure;
    for (const [tenantId, documents] of this.due)
      this.due.set(
        tenantId,
        documents.filter((each) => each !== id),
      );
    this.removed.push(id);
    this.afterRemoval();
    return [{ id, sha256: Buffer.alloc(32) }];
  };
}

describe('the sweep of old documents', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  it('removes what is due, in every tenant, and leaves what is held', async () => {
    world.tenant('a', 'b');
    world.tenant('c');
    world.fails.set('a', new LegalHoldInForce(['hold']));
    expect(await world.sweep()).toBe(2);
    expect(world.removed).toEqual(['b', 'c']);
  });

  it('leaves what is to be kept longer since it was looked for', async () => {
    const tenantId = world.tenant('a', 'b');
    world.afterRemoval = () => void world.due.set(tenantId, []);
    await world.sweep();
    expect(world.removed).toEqual(['a']);
  });

  it('goes on when a document cannot be removed', async () => {
    world.tenant('a', 'b');
    world.tenant('c');
    world.fails.set('a', new TypeError('broken'));
    expect(await world.sweep()).toBe(2);
    expect(world.removed).toEqual(['b', 'c']);
  });

  it('ends when the database is away', async () => {
    world.tenant('a', 'b');
    world.fails.set('a', new DependencyUnavailable('postgres'));
    await expect(world.sweep()).rejects.toThrow(DependencyUnavailable);
    expect(world.removed).toEqual([]);
  });
});
