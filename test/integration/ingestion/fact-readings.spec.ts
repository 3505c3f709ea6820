import { randomBytes } from 'node:crypto';
import { ReadingStore } from '../../../apps/api/src/ingestion/facts/model/reading.store.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let owner: Owner;
let documentId: string;
const store = new ReadingStore();

beforeAll(async () => {
  db = await testDatabase();
  owner = await db.createTenant();
});
afterAll(() => db.close());
beforeEach(async () => {
  documentId = await documentMaker(db).addDocument(owner);
});

const save = (digest: Buffer, model: string, answer: unknown = { facts: [] }) =>
  db.tenantDb.run(owner.tenantId, (tx) => store.save(tx, { documentId, digest }, { model, answer }));
const find = (digest: Buffer, models: string[], { tenantId, id }: { tenantId?: string; id?: string } = {}) =>
  db.tenantDb.run(tenantId ?? owner.tenantId, (tx) =>
    store.find(tx, { documentId: id ?? documentId, digest, models }),
  );

describe('what a model wrote of a document', () => {
  it('is found again by what the model was told', async () => {
    const digest = randomBytes(32);
    await save(digest, 'openai:a', { facts: [{ value: '$1,500' }] });
    expect(await find(digest, ['openai:a'])).toEqual({
      model: 'openai:a',
      answer: { facts: [{ value: '$1,500' }] },
    });
    expect(await find(randomBytes(32), ['openai:a'])).toBeUndefined();
  });

  it('is that of the model which is preferred, of those that are still wanted', async () => {
    const digest = randomBytes(32);
    await save(digest, 'openai:a');
    await save(digest, 'openai:b');
    expect(await find(digest, ['openai:c', 'openai:b', 'openai:a'])).toMatchObject({ model: 'openai:b' });
    expect(await find(digest, ['openai:c'])).toBeUndefined();
  });

  it('stays as it was when two write it at the same time', async () => {
    const digest = randomBytes(32);
    await Promise.all([save(digest, 'openai:a', { facts: [1] }), save(digest, 'openai:a', { facts: [2] })]);
    const first = await find(digest, ['openai:a']);
    await save(digest, 'openai:a', { facts: [3] });
    expect(await find(digest, ['openai:a'])).toEqual(first);
  });

  it('is seen by nobody else, and belongs to one document', async () => {
    const digest = randomBytes(32);
    await save(digest, 'openai:a');
    const { tenantId } = await db.createTenant();
    expect(await find(digest, ['openai:a'], { tenantId })).toBeUndefined();
    const id = await documentMaker(db).addDocument(owner);
    expect(await find(digest, ['openai:a'], { id })).toBeUndefined();
  });

  it('is kept for the last texts of a document', async () => {
    const digests = Array.from({ length: 6 }, () => randomBytes(32));
    for (const digest of digests) await save(digest, 'openai:a');
    const kept = await Promise.all(digests.map((digest) => find(digest, ['openai:a'])));
    expect(kept.map((reading) => reading !== undefined)).toEqual([false, false, true, true, true, true]);
  });

  it('goes with the document', async () => {
    await save(randomBytes(32), 'openai:a');
    const count = async () =>
      (
        await db.owner.query(`select count(*)::int as n from fact_reading where document_id = $1`, [
          documentId,
        ])
      ).rows[0].n;
    expect(await count()).toBe(1);
    await db.tenantDb.run(owner.tenantId, (tx) =>
      tx.query(`delete from document where id = $1`, [documentId]),
    );
    expect(await count()).toBe(0);
  });
});
