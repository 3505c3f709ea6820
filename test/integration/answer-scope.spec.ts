import { randomUUID } from 'node:crypto';
import { findScope, type Scope } from '../../apps/api/src/rag/answering/scope.store.js';
import type { AnswerRequest } from '../../apps/api/src/rag/answering/answer.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

let db: TestDatabase;
let reader: { tenantId: string; userId: string };
let colleague: string;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  reader = await db.createTenant();
  colleague = randomUUID();
  await db.owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
    [reader.tenantId, colleague, `${colleague}@example.com`],
  );
});

interface Columns {
  owner_id?: string;
  visibility?: string;
  collection?: string;
  tags?: string[];
  status?: string;
  answerable?: string;
}

async function addDocument(columns: Columns = {}): Promise<string> {
  const id = randomUUID();
  const {
    owner_id = reader.userId,
    visibility = 'private',
    status = 'ready',
    answerable = 'lexical',
  } = columns;
  await db.owner.query(
    `insert into document (tenant_id, id, owner_id, visibility, collection, tags, title, filename, media_type,
                           size_bytes, sha256, status, answerable, live_generation, reason_code)
     values ($1, $2, $3, $4, $5, $6, 't', 'f', 'text/plain', 1, decode(repeat('00', 32), 'hex'), $7, $8,
             case when $8 = 'none' then null else 1 end, case when $7 = 'failed' then 'broken' end)`,
    [
      reader.tenantId,
      id,
      owner_id,
      visibility,
      columns.collection ?? null,
      columns.tags ?? [],
      status,
      answerable,
    ],
  );
  return id;
}

const scopeOf = (selection: Partial<AnswerRequest> = {}): Promise<Scope> =>
  db.tenantDb.run(reader.tenantId, (tx) => findScope(tx, { reader, question: 'q', ...selection }));

describe('findScope', () => {
  it('counts the own documents and those that the tenant shares, and no others', async () => {
    await addDocument();
    await addDocument({ owner_id: colleague, visibility: 'tenant' });
    await addDocument({ owner_id: colleague });
    expect((await scopeOf()).answerable).toBe(2);
  });

  it('tells documents that are under way from those that failed', async () => {
    const queued = await addDocument({ status: 'queued', answerable: 'none' });
    const processing = await addDocument({ status: 'processing', answerable: 'none' });
    const failed = await addDocument({ status: 'failed', answerable: 'none' });
    await addDocument({ status: 'processing', answerable: 'lexical' });
    expect(await scopeOf()).toMatchObject({
      answerable: 1,
      pendingDocumentIds: [queued, processing].sort(),
      failedDocumentIds: [failed],
    });
  });

  it('does not know documents that do not exist, or not for this reader', async () => {
    const own = await addDocument();
    const foreign = await addDocument({ owner_id: colleague });
    const missing = randomUUID();
    const scope = await scopeOf({ documentIds: [own, foreign, missing] });
    expect(scope.unknownDocumentIds).toEqual([foreign, missing].sort());
    expect(scope.answerable).toBe(1);
  });

  it('narrows to documents, a collection, and all of the tags', async () => {
    const one = await addDocument({ collection: 'home', tags: ['a', 'b'] });
    await addDocument({ collection: 'home', tags: ['a'] });
    await addDocument({ tags: ['b', 'a'] });
    expect((await scopeOf({ documentIds: [one] })).answerable).toBe(1);
    expect((await scopeOf({ collection: 'home' })).answerable).toBe(2);
    expect((await scopeOf({ tags: ['a', 'b'] })).answerable).toBe(2);
    expect((await scopeOf({ collection: 'home', tags: ['b'] })).answerable).toBe(1);
    expect((await scopeOf({ documentIds: [one], collection: 'car' })).unknownDocumentIds).toEqual([]);
  });

  describe('its fingerprint', () => {
    it('stays the same while nothing changes, in whatever order the rows come', async () => {
      for (let i = 0; i < 5; i++) await addDocument();
      const before = await scopeOf();
      await db.owner.query(`update document set title = title where tenant_id = $1`, [reader.tenantId]);
      expect((await scopeOf()).fingerprint).toBe(before.fingerprint);
    });

    it.each([
      ['a new version', (id: string) => [`update document set version = version + 1 where id = $1`, [id]]],
      ['a deleted document', (id: string) => [`delete from document where id = $1`, [id]]],
      [
        'a document that is shared no more',
        (id: string) => [
          `update document set owner_id = $2, visibility = 'private' where id = $1`,
          [id, colleague],
        ],
      ],
      [
        'a document that begins to be processed',
        (id: string) => [`update document set status = 'processing' where id = $1`, [id]],
      ],
    ] as [string, (id: string) => [string, unknown[]]][])('changes with %s', async (_, change) => {
      const id = await addDocument({ visibility: 'tenant' });
      await addDocument();
      const before = await scopeOf();
      await db.owner.query(...change(id));
      expect((await scopeOf()).fingerprint).not.toBe(before.fingerprint);
    });

    it('changes with a new document', async () => {
      const before = await scopeOf();
      await addDocument();
      expect((await scopeOf()).fingerprint).not.toBe(before.fingerprint);
    });
  });
});
