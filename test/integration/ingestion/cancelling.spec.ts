import { type ClaimedJob, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { DocumentRejected } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { PassageStore } from '../../../apps/api/src/rag/index.js';
import { ProcessingWorld } from '../../support/processing-world.js';
import { ScriptedStages } from '../../support/scripted-stages.js';

let world: ProcessingWorld;
beforeAll(async () => {
  world = await ProcessingWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());
afterEach(() => world.stopWorkers());

const GARBLED = { words: 400, garbledRatio: 0.5 };

describe('cancelling', () => {
  it('stops a job that is worked on at once, and what comes late is not written', async () => {
    const id = await world.maker.addDocument(world.owner);
    const begun = Promise.withResolvers<ClaimedJob>();
    const aborted = Promise.withResolvers<unknown>();
    await world.startWorker({
      extract: ({ job }, signal) => {
        begun.resolve(job);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      },
    });
    const job = await begun.promise;
    const { status, body } = await world.post(`/documents/${id}/cancel`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'cancelled', reason: { code: 'cancelled' }, expected_at: null });
    expect(await aborted.promise).toBeDefined();
    await expect(world.maker.jobs.fenced(job, async () => undefined)).rejects.toThrow(LeaseLost);
    expect((await world.document(id)).status).toBe('cancelled');
  });

  it('removes what was half made, and keeps what can be found', async () => {
    const id = await world.maker.addDocument(world.owner);
    const passages = world.app.app.get(PassageStore);
    const key = (generation: number) => ({ tenantId: world.owner.tenantId, documentId: id, generation });
    const passage = (text: string) => ({
      ordinal: 0,
      kind: 'prose' as const,
      text,
      headingPath: [],
      page: 1,
      box: null,
      row: null,
      startMs: null,
      endMs: null,
    });
    await world.run({
      structure: async () => ({
        commit: async (tx) => {
          await passages.replaceGeneration(tx, key(1), [passage('The deductible is $500.')]);
          await world.maker.documents.change(tx, id, {
            lexical: { generation: 1, pageCount: 1, passageCount: 1 },
          });
        },
      }),
      embed: async () => {
        throw new DocumentRejected('embedding-refused', 'Refused.');
      },
    });
    expect((await world.post(`/documents/${id}/retry`, { from_stage: 'structure' })).status).toBe(202);
    const half = Promise.withResolvers<void>();
    const job = (await world.maker.jobs.claim('worker-1'))!;
    expect(job.generation).toBe(2);
    const running = world.runner({
      structure: async (task, signal) => {
        await world.maker.jobs.fenced(task.job, (tx) =>
          passages.replaceGeneration(tx, key(2), [passage('Half.')]),
        );
        half.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const end = new AbortController();
    const ended = running.run(job, end.signal);
    await half.promise;
    const { body } = await world.post(`/documents/${id}/cancel`);
    expect(body).toMatchObject({ status: 'cancelled', answerable: 'lexical' });
    const rows = await world.db.owner.query(`select generation, text from passage where document_id = $1`, [
      id,
    ]);
    expect(rows.rows).toEqual([{ generation: 1, text: 'The deductible is $500.' }]);
    const left = await world.db.owner.query(
      `select name from job_stage where document_id = $1 and (result is not null or progress > 0)`,
      [id],
    );
    expect(left.rows).toEqual([{ name: 'receive' }]);
    end.abort(new LeaseLost(job));
    expect(await ended).toBe('lost');
  });

  it('works before the processing has begun, and while a person is to decide', async () => {
    const queued = await world.maker.addDocument(world.owner);
    expect((await world.post(`/documents/${queued}/cancel`)).body.status).toBe('cancelled');
    expect(await world.maker.jobs.claim('worker-1')).toBeUndefined();
    const parked = await world.maker.addDocument(world.owner);
    await world.run({ extract: world.seeing('extract', GARBLED) });
    expect((await world.post(`/documents/${parked}/cancel`)).body.status).toBe('cancelled');
    expect(await world.maker.jobs.claim('worker-1')).toBeUndefined();
  });

  it('twice is cancelling once, and what has ended cannot be cancelled', async () => {
    const id = await world.maker.addDocument(world.owner);
    await world.post(`/documents/${id}/cancel`);
    expect(await world.post(`/documents/${id}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    await world.post(`/documents/${id}/retry`);
    await world.run();
    expect(await world.post(`/documents/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'document-not-open', document_status: 'ready' },
    });
  });

  it('can be followed by a retry, which begins with the reading', async () => {
    const id = await world.maker.addDocument(world.owner);
    await world.run({
      structure: async () => {
        await world.post(`/documents/${id}/cancel`);
        return {};
      },
    });
    const read: string[] = [];
    const { status, body } = await world.post(`/documents/${id}/retry`);
    expect({ status, document: body.status }).toEqual({ status: 202, document: 'queued' });
    const works = new ScriptedStages(world.maker).works;
    await world.run({
      extract: (task, signal) => {
        read.push('extract');
        return works.extract.run(task, signal);
      },
    });
    expect(read).toEqual(['extract']);
    expect((await world.document(id)).status).toBe('ready');
  });
});
