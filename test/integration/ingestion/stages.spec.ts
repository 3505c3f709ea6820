import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { BlobStore } from '../../../apps/api/src/ingestion/blobs/blob.store.js';
import type { DocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { planText } from '../../../bench/plan-text.js';
import { IngestionWorld } from '../../support/ingestion-world.js';

// Parser processes and many steps: seconds on a busy machine.
jest.setTimeout(30_000);

let world: IngestionWorld;
beforeAll(async () => {
  world = await IngestionWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());
afterEach(() => world.end());

describe('the way of a document', () => {
  it('ends with all its passages and vectors, an assessment, and nothing left over', async () => {
    const id = await world.upload(planText(1, 20));
    const document = await world.settled(id);
    expect(document).toMatchObject({
      status: 'ready',
      answerable: 'semantic',
      percent: 100,
      passages: 20,
      reason: null,
      media_type: 'text/markdown',
      assessment: { passages: 20, language: 'en', garbled_ratio: 0, pages_without_text: [] },
    });
    expect(document.stages.map(({ name, status, attempts }) => ({ name, status, attempts }))).toEqual(
      ['receive', 'extract', 'structure', 'embed', 'assess', 'publish'].map((name) => ({
        name,
        status: 'done',
        attempts: 1,
      })),
    );
    for (const stage of document.stages) expect(stage.duration_ms).toBeGreaterThanOrEqual(0);
    expect((await world.passagesOf(id)).map((passage) => passage.ordinal)).toEqual([...Array(20).keys()]);
    expect(await world.rowsOf('passage_vector')).toBe(20);
    expect((await world.db.owner.query('select from job_stage where result is not null')).rowCount).toBe(0);
  });

  it('is answerable by its words before it has a vector, and its percentage grows with its batches', async () => {
    const hold = Promise.withResolvers<void>();
    world.embedder.beforeBatch = async (batch) => (batch === 2 ? hold.promise : undefined);
    const id = await world.upload(planText(2, 40));
    const lexical = await world.until(id, ({ percent }) => percent > 40);
    expect(lexical).toMatchObject({ status: 'processing', answerable: 'lexical', passages: 40 });
    expect(await world.passagesOf(id)).toHaveLength(40);
    hold.resolve();
    expect(await world.settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic', percent: 100 });
  });

  it.each([
    ['libreoffice-writer-password.pdf', 'password-protected'],
    ['PDFBOX-3148-2-fuzzed.pdf', undefined],
  ])('of the public file %s ends in a clear state', async (name, code) => {
    const content = await readFile(join('../shared/data/documents/pdf', name)).catch(() => undefined);
    if (!content) return console.warn(`skipped: ${name} is not there`);
    const { status, reason } = await world.settled(await world.upload(content, name));
    expect(['ready', 'failed']).toContain(status);
    if (code) expect(reason).toMatchObject({ code });
  });

  it('ends with a reason when the file cannot be read', async () => {
    const id = await world.upload('%PDF-1.7\nthis is no PDF', 'plan.pdf');
    const { status, reason, stages, answerable } = await world.settled(id);
    expect({ status, code: reason?.code, answerable }).toEqual({
      status: 'failed',
      code: 'corrupt-file',
      answerable: 'none',
    });
    expect(stages.find((stage) => stage.name === 'extract')).toMatchObject({ status: 'failed', attempts: 1 });
  });

  it('ends with a reason when there is nothing to read in it', async () => {
    expect((await world.settled(await world.upload('\n \n', 'blank.txt'))).reason).toMatchObject({
      code: 'no-text',
    });
  });
});

describe('a document whose file', () => {
  /** Takes the upload's file away, or changes it, before a worker looks at it. */
  async function tampered(tamper: (path: string) => Promise<void>): Promise<DocumentBody> {
    await world.stopProgram();
    await world.startProgram({ worker: false });
    const id = await world.upload(planText(3, 2));
    const [row] = (await world.db.owner.query('select sha256 from document where id = $1', [id])).rows;
    await tamper(await world.get(BlobStore).localPath(world.principal.tenantId, row.sha256));
    await world.stopProgram();
    await world.startProgram();
    return world.settled(id);
  }

  it('is gone from the disk fails with that reason', async () => {
    expect((await tampered((path) => rm(path))).reason).toMatchObject({ code: 'content-missing' });
  });

  it('was damaged on the disk fails with that reason, and is mended by uploading it again', async () => {
    const { id, reason } = await tampered((path) => writeFile(path, 'something else'));
    expect(reason).toMatchObject({ code: 'content-damaged' });
    expect(await world.upload(planText(3, 2))).toBe(id);
    expect((await world.settled(id)).status).toBe('ready');
  });
});

describe('many documents at once', () => {
  it('all end ready, each with its own passages', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => world.upload(planText(10 + i, 3))));
    expect(new Set(ids).size).toBe(8);
    for (const [i, id] of ids.entries()) {
      expect((await world.settled(id)).status).toBe('ready');
      expect((await world.passagesOf(id))[0]!.text).toContain(`plan ${10 + i} pays`);
    }
    expect(await world.rowsOf('passage')).toBe(24);
  });
});
