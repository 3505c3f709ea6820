import type { NewPassage } from '../../apps/api/src/rag/passages/passage.js';
import { passageMaker, prose } from '../support/passages.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

type Owner = Awaited<ReturnType<TestDatabase['createTenant']>>;

const TABLES = ['passage', 'posting', 'passage_vector', 'passage_sign'];

describe('the store of passages', () => {
  let db: TestDatabase;
  let make: ReturnType<typeof passageMaker>;
  let owner: Owner;

  beforeAll(async () => {
    db = await testDatabase();
    make = passageMaker(db);
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    owner = await db.createTenant();
  });

  const run: TestDatabase['tenantDb']['run'] = (...call) => db.tenantDb.run(...call);
  const list = (
    documentId: string,
    generation = 1,
    page: { afterOrdinal?: number; limit: number } = { limit: 100 },
  ) =>
    run(owner.tenantId, (tx) =>
      make.passages.listPassages(tx, { tenantId: owner.tenantId, documentId, generation }, page),
    );
  /** Everything there is, of all tenants: row-level security does not hold for the superuser. */
  const dump = async (documentId: string) => {
    const tables = await Promise.all(
      TABLES.map((table) =>
        db.owner.query(`select * from ${table} where document_id = $1 order by to_jsonb(${table})::text`, [
          documentId,
        ]),
      ),
    );
    return tables.map(({ rows }) => rows as object[]);
  };
  const search = (query: string, reader = owner) =>
    run(reader.tenantId, (tx) => make.lexical.search(tx, { reader }, query, 1.2));

  it('gives passages back as they were', async () => {
    const row: NewPassage = {
      ordinal: 1,
      kind: 'table-row',
      text: 'Drugs — Generic | Network: $10 | Out: "not" \\ covered',
      headingPath: ['Benefits', 'Prescription "drugs", {and} more'],
      page: null,
      box: null,
      row: {
        caption: null,
        group: 'Drugs',
        label: 'Generic',
        cells: [
          { header: 'Network', text: '$10', start: 27, end: 30, box: { x: 0, y: 0, width: 1, height: 0.5 } },
        ],
      },
    };
    const first = prose('Zuzahlung: 5 € für „Hilfsmittel“ 🩺', 0, ['Ä']);
    const documentId = await make.add(owner, [first, row]);
    await expect(list(documentId)).resolves.toEqual([
      { ...first, id: make.passageId(documentId, 0), documentId, startMs: null, endMs: null },
      { ...row, id: make.passageId(documentId, 1), documentId, startMs: null, endMs: null },
    ]);
  });

  it('stores half a character and a zero byte as signs of the same length', async () => {
    const documentId = await make.add(owner, [prose('a\ud83e b\0 c', 0, ['\udd7a'])], { semantic: false });
    await expect(list(documentId)).resolves.toMatchObject([
      { text: 'a\ufffd b\ufffd c', headingPath: ['\ufffd'] },
    ]);
  });

  it('lists passages in order and in pages, and finds one by its id', async () => {
    const texts = Array.from({ length: 25 }, (_, i) => `Clause number ${i}`);
    const documentId = await make.add(owner, texts, { semantic: false });
    const page = await list(documentId, 1, { afterOrdinal: 9, limit: 5 });
    expect(page.map(({ ordinal }) => ordinal)).toEqual([10, 11, 12, 13, 14]);
    const key = { tenantId: owner.tenantId, documentId, generation: 1 };
    const get = (id: string, generation = 1) =>
      run(owner.tenantId, (tx) => make.passages.getPassage(tx, { ...key, generation }, id));
    await expect(get(make.passageId(documentId, 7))).resolves.toMatchObject({ text: 'Clause number 7' });
    await expect(get(make.passageId(documentId, 99))).resolves.toBeUndefined();
    await expect(get(make.passageId(documentId, 7), 2)).resolves.toBeUndefined();
  });

  it('makes the same rows when a generation is stored twice', async () => {
    const documentId = await make.addDocument(owner);
    const given = ['The deductible is $500.', 'Copay for a visit.'].map((text, i) => prose(text, i));
    await make.publishLexical(owner, documentId, 1, given);
    const once = await dump(documentId);
    await make.publishLexical(owner, documentId, 1, given);
    await expect(dump(documentId)).resolves.toEqual(once);
  });

  it('puts a new generation in the place of the old one, with its postings and vectors', async () => {
    const documentId = await make.add(owner, ['Old words about hospice.', 'And about glasses.']);
    await make.publishLexical(owner, documentId, 2, [prose('New words about ambulances.', 0)]);
    await expect(list(documentId, 1)).resolves.toEqual([]);
    await expect(list(documentId, 2)).resolves.toMatchObject([{ text: 'New words about ambulances.' }]);
    expect((await search('hospice')).best(10)).toEqual([]);
    expect((await search('ambulances')).best(10)).toMatchObject([{ documentId, generation: 2, ordinal: 0 }]);
    const [, , vectors, signs] = await dump(documentId);
    expect([vectors, signs]).toEqual([[], []]);
  });

  it('shows a question the old generation until the new one is published, and never half of one', async () => {
    const documentId = await make.add(owner, ['hospice one', 'hospice two']);
    await run(owner.tenantId, async (tx) => {
      const texts = ['hospice three', 'hospice four', 'hospice five'].map((text, i) => prose(text, i));
      await make.passages.replaceGeneration(
        tx,
        { tenantId: owner.tenantId, documentId, generation: 2 },
        texts,
      );
      // Another connection sees nothing of it before the commit.
      const seen = (await search('hospice')).best(10);
      expect(seen.map(({ generation, ordinal }) => [generation, ordinal])).toEqual([
        [1, 0],
        [1, 1],
      ]);
      await tx.query(`update document set live_generation = 2, passage_count = 3 where id = $1`, [
        documentId,
      ]);
    });
    const seen = (await search('hospice')).best(10);
    expect(seen.map(({ generation, ordinal }) => [generation, ordinal]).sort()).toEqual([
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
  });

  it('hands out what is to be embedded, under its heading, until every passage has a vector', async () => {
    const given = [
      prose('Not covered.', 0, ['Plan', 'Acupuncture']),
      prose('Covered.', 1),
      prose('Also.', 2),
    ];
    const documentId = await make.add(owner, given, { semantic: false });
    const key = { tenantId: owner.tenantId, documentId, generation: 1, model: 'm' };
    const vector = new Float32Array(8).fill(Math.SQRT1_2 / 2);
    const waiting = (model = 'm') =>
      run(owner.tenantId, (tx) => make.passages.listUnembedded(tx, { ...key, model }, 2));
    const save = (ordinals: number[]) =>
      run(owner.tenantId, (tx) =>
        make.passages.saveVectors(
          tx,
          key,
          ordinals.map((ordinal) => ({ ordinal, vector })),
        ),
      );

    await expect(waiting()).resolves.toEqual([
      { id: make.passageId(documentId, 0), ordinal: 0, text: 'Acupuncture\nNot covered.' },
      { id: make.passageId(documentId, 1), ordinal: 1, text: 'Covered.' },
    ]);
    await save([0, 1]);
    await save([1, 0]);
    await expect(waiting()).resolves.toMatchObject([{ text: 'Also.' }]);
    await save([2, 77]);
    await expect(waiting()).resolves.toEqual([]);
    await expect(waiting('another model')).resolves.toHaveLength(2);
    const [, , vectors] = await dump(documentId);
    expect(vectors).toHaveLength(3);
  });

  it('deletes passages, postings and vectors, and nothing of other documents', async () => {
    const [gone, kept] = [await make.add(owner, ['hospice care']), await make.add(owner, ['hospice stay'])];
    const before = await dump(kept);
    await run(owner.tenantId, (tx) => make.passages.deleteDocument(tx, { ...owner, documentId: gone }));
    await expect(dump(gone)).resolves.toEqual([[], [], [], []]);
    await expect(dump(kept)).resolves.toEqual(before);
    expect(before.every((rows) => rows.length > 0)).toBe(true);
  });

  it('leaves nothing when only the document is deleted', async () => {
    const documentId = await make.add(owner, ['hospice care']);
    await run(owner.tenantId, (tx) => tx.query(`delete from document where id = $1`, [documentId]));
    await expect(dump(documentId)).resolves.toEqual([[], [], [], []]);
  });

  it('shows another tenant nothing, by any method', async () => {
    const documentId = await make.add(owner, ['hospice care'], { visibility: 'tenant' });
    const stranger = await db.createTenant();
    const key = { tenantId: owner.tenantId, documentId, generation: 1, model: 'words-1' };
    const seen = await run(stranger.tenantId, async (tx) => [
      await make.passages.listPassages(tx, key, { limit: 10 }),
      await make.passages.getPassage(tx, key, make.passageId(documentId, 0)),
      await make.passages.listUnembedded(tx, { ...key, model: 'm' }, 10),
      await make.passages.listAt(tx, { reader: owner }, [{ documentId, generation: 1, ordinal: 0 }]),
      (await make.lexical.search(tx, { reader: owner }, 'hospice', 1.2)).best(10),
    ]);
    expect(seen).toEqual([[], undefined, [], [], []]);
    for (const table of TABLES)
      await expect(run(stranger.tenantId, (tx) => tx.query(`select * from ${table}`))).resolves.toEqual([]);
    await run(stranger.tenantId, (tx) => make.passages.deleteDocument(tx, { ...owner, documentId }));
    await expect(list(documentId)).resolves.toHaveLength(1);
  });

  it('gives a tenant the same scores to the last bit, whoever else has documents', async () => {
    await make.add(owner, ['hospice care', 'hospice and glasses', 'glasses']);
    const alone = (await search('hospice glasses')).best(10);
    const stranger = await db.createTenant();
    await make.add(stranger, ['hospice hospice', 'glasses', 'glasses'], { visibility: 'tenant' });
    expect((await search('hospice glasses')).best(10)).toEqual(alone);
  });

  it('takes many documents at once without one waiting for another', async () => {
    const text = 'The same words are in every document: deductible, copay, coinsurance, premium.';
    const ids = await Promise.all(
      Array.from({ length: 30 }, () =>
        make.add(
          owner,
          Array.from({ length: 20 }, () => text),
        ),
      ),
    );
    expect(new Set(ids).size).toBe(30);
    expect((await search('coinsurance')).best(1_000)).toHaveLength(600);
  });

  it('finds the 300th passage of a long document as well as the first', async () => {
    const texts = Array.from({ length: 600 }, (_, i) => (i % 300 === 299 ? `hospice ${i}` : `clause ${i}`));
    const documentId = await make.add(owner, texts, { semantic: false });
    expect((await search('hospice')).best(2)).toMatchObject([
      { documentId, ordinal: 299 },
      { documentId, ordinal: 599 },
    ]);
  });
});
