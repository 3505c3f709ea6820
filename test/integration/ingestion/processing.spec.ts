import type { Pressure } from '#libs/http';
import { ControlService } from '../../../apps/api/src/ingestion/control/control.service.js';
import { ControlStore } from '../../../apps/api/src/ingestion/control/control.store.js';
import { DeadLetterStore } from '../../../apps/api/src/ingestion/control/dead-letter.store.js';
import { IngestionController } from '../../../apps/api/src/ingestion/control/ingestion.controller.js';
import type { DocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentsController } from '../../../apps/api/src/ingestion/documents/documents.controller.js';
import { ProcessingController } from '../../../apps/api/src/ingestion/documents/processing.controller.js';
import { IngestionWorker } from '../../../apps/api/src/ingestion/jobs/ingestion.worker.js';
import { type ClaimedJob, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import { IngestionNotifications } from '../../../apps/api/src/ingestion/jobs/notifications.js';
import { WorkerLiveness } from '../../../apps/api/src/ingestion/jobs/worker-liveness.js';
import type { GateEvidence } from '../../../apps/api/src/ingestion/workflow/gates/index.js';
import { STAGE_NAMES, type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner } from '../../../apps/api/src/ingestion/workflow/job-runner.js';
import { DocumentRejected } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { StageStore } from '../../../apps/api/src/ingestion/workflow/stage.store.js';
import { Embedder, PassageStore } from '../../../apps/api/src/rag/index.js';
import { documentMaker, gateConfig, type Owner, workerConfig } from '../../support/documents.js';
import { documentProviders, ingestionApp, type IngestionApp } from '../../support/ingestion-app.js';
import { WordEmbedder } from '../../support/passages.js';
import { type RunStage, ScriptedStages } from '../../support/scripted-stages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

type Script = Partial<Record<StageName, RunStage>>;

let db: TestDatabase;
let app: IngestionApp;
let maker: ReturnType<typeof documentMaker>;
let owner: Owner;
const stop: (() => Promise<void>)[] = [];
const stages = new StageStore();
const never = new AbortController().signal;

beforeAll(async () => {
  db = await testDatabase();
  maker = documentMaker(db);
  app = await ingestionApp(db, {
    controllers: [DocumentsController, ProcessingController, IngestionController],
    providers: [
      ...documentProviders,
      ControlService,
      ControlStore,
      DeadLetterStore,
      { provide: Embedder, useValue: new WordEmbedder() },
    ],
  });
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.owner.query('delete from document');
  await db.owner.query('delete from ingestion_control');
  owner = await db.createTenant();
});
afterEach(async () => {
  for (const one of stop.splice(0).reverse()) await one();
});

interface Answer<T> {
  status: number;
  body: T;
}

async function call<T = DocumentBody>(
  method: string,
  path: string,
  json?: object,
  { as = owner, role = 'member' as 'member' | 'manager' | 'admin' } = {},
): Promise<Answer<T>> {
  const response = await fetch(`${app.url}/v1${path}`, {
    method,
    headers: { ...app.as(as, role), ...(json && { 'content-type': 'application/json' }) },
    body: json && JSON.stringify(json),
  });
  return { status: response.status, body: (await response.json()) as T };
}
const post = <T = DocumentBody>(path: string, json?: object, options?: Parameters<typeof call>[3]) =>
  call<T>('POST', path, json, options);
const document = async (id: string) => (await call('GET', `/documents/${id}`)).body;
const stageOf = (body: DocumentBody, name: StageName) => body.stages.find((stage) => stage.name === name)!;

const runner = (script: Script = {}) =>
  new JobRunner(
    maker.jobs,
    stages,
    maker.documents,
    new ScriptedStages(maker, script),
    workerConfig(),
    gateConfig,
  );

/** A job whose row is locked at the moment is passed over, so a worker may have to ask again. */
async function run(script: Script = {}) {
  for (;;) {
    const job = await maker.jobs.claim('worker-1');
    if (job) return runner(script).run(job, never);
  }
}

/** A worker that neither a heartbeat nor a look at the queue wakes within the time of a test. */
async function startWorker(script: Script): Promise<void> {
  const notifications = new IngestionNotifications(db.appUrl);
  notifications.onModuleInit();
  const worker = new IngestionWorker(
    maker.jobs,
    runner(script),
    notifications,
    { sheds: () => false } as unknown as Pressure,
    new WorkerLiveness(),
    workerConfig({ leaseMs: 600_000, pollMs: 60_000 }),
  );
  stop.push(async () => {
    await worker.beforeApplicationShutdown();
    await notifications.onModuleDestroy();
  });
  for (let listening = 0; listening < 2;)
    listening = (
      await db.owner.query(
        `select from pg_stat_activity where application_name = 'navigator-listen' and query like 'listen%'
           and datname = current_database() and state = 'idle'`,
      )
    ).rowCount!;
  worker.onApplicationBootstrap();
}

const seeing =
  (name: StageName, evidence: GateEvidence): RunStage =>
  (task, signal) =>
    new ScriptedStages(maker).works[name].run(task, signal).then((outcome) => ({ ...outcome, evidence }));
const GARBLED = { words: 400, garbledRatio: 0.5 };

describe('a quality gate', () => {
  it('is shown with its stage, and a warning stops nothing', async () => {
    const id = await maker.addDocument(owner);
    expect(await run({ extract: seeing('extract', { words: 400, garbledRatio: 0.05 }) })).toBe('done');
    const body = await document(id);
    expect(body.status).toBe('ready');
    expect(stageOf(body, 'extract').gate).toEqual({
      outcome: 'warn',
      checks: [
        { code: 'little-text', score: 400, threshold: 5, outcome: 'pass' },
        { code: 'garbled-text', score: 0.05, threshold: 0.02, outcome: 'warn' },
      ],
    });
    expect(stageOf(body, 'receive').gate).toBeNull();
  });

  it('fails a document of which nothing could become, with its reason', async () => {
    const id = await maker.addDocument(owner);
    expect(await run({ extract: seeing('extract', { words: 0 }) })).toBe('failed');
    const body = await document(id);
    expect(body).toMatchObject({ status: 'failed', reason: { code: 'no-text' }, tags: ['receive'] });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'failed', gate: { outcome: 'failed' } });
  });

  it('parks the job when a person has to decide, and nobody takes it meanwhile', async () => {
    const id = await maker.addDocument(owner);
    expect(await run({ extract: seeing('extract', GARBLED) })).toBe('review');
    const body = await document(id);
    expect(body).toMatchObject({
      status: 'needs_review',
      answerable: 'none',
      reason: { code: 'garbled-text' },
      expected_at: null,
    });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'done', gate: { outcome: 'needs_review' } });
    expect(stageOf(body, 'structure').status).toBe('pending');
    expect(await maker.jobs.claim('worker-2')).toBeUndefined();
    const listed = await call<{ items: DocumentBody[] }>('GET', '/documents?status=needs_review');
    expect(listed.body.items.map((item) => item.id)).toEqual([id]);
  });

  it('interrupts the stages beside it', async () => {
    const id = await maker.addDocument(owner);
    const embedding = Promise.withResolvers<void>();
    const outcome = await run({
      embed: (_, signal) => {
        embedding.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      assess: async (task, signal) => {
        await embedding.promise;
        return seeing('assess', GARBLED)(task, signal);
      },
    });
    expect(outcome).toBe('review');
    const body = await document(id);
    expect(stageOf(body, 'embed')).toMatchObject({ status: 'pending', attempts: 0 });
    await post(`/documents/${id}/review`, { decision: 'approve' });
    expect(await run()).toBe('done');
    expect((await document(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });
});

describe('a review', () => {
  async function waiting(stage: StageName = 'extract', evidence: GateEvidence = GARBLED): Promise<string> {
    const id = await maker.addDocument(owner);
    await run({ [stage]: seeing(stage, evidence) });
    expect((await document(id)).status).toBe('needs_review');
    return id;
  }
  const review = (id: string, decision: string, rest: object = {}) =>
    post(`/documents/${id}/review`, { decision, ...rest });

  it('that approves lets the job go on behind the gate', async () => {
    const id = await waiting();
    const { status, body } = await review(id, 'approve');
    expect({ status, document: body.status, reason: body.reason }).toEqual({
      status: 202,
      document: 'queued',
      reason: null,
    });
    const unasked: RunStage = () => Promise.reject(new Error('this stage is done'));
    expect(await run({ extract: unasked })).toBe('done');
    const after = await document(id);
    expect(after.tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(stageOf(after, 'extract').gate).toMatchObject({ outcome: 'needs_review', decision: 'approve' });
  });

  it('comes before anything of a publishing stage can be found, and is not asked for twice', async () => {
    const id = await waiting('structure');
    const before = await document(id);
    expect(stageOf(before, 'structure').status).toBe('review');
    expect(before.tags).not.toContain('structure');
    await review(id, 'approve');
    expect(await run({ structure: seeing('structure', GARBLED) })).toBe('done');
    const after = await document(id);
    expect(after.tags.filter((tag) => tag === 'structure')).toHaveLength(1);
    expect(stageOf(after, 'structure').gate).toMatchObject({ decision: 'approve' });
  });

  it('that rejects fails the document, and tells its readers why', async () => {
    const id = await waiting();
    const { body } = await review(id, 'reject', { reason: 'the scan is upside down' });
    expect(body).toMatchObject({
      status: 'failed',
      reason: {
        code: 'rejected-by-review',
        message: 'It was rejected in a review: the scan is upside down',
      },
    });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'failed', gate: { decision: 'reject' } });
    expect(await maker.jobs.claim('worker-2')).toBeUndefined();
  });

  it('is asked for again when the stage is done again', async () => {
    const id = await waiting();
    await review(id, 'approve');
    await run();
    expect((await post(`/documents/${id}/retry`, { from_stage: 'extract' })).status).toBe(202);
    expect(await run({ extract: seeing('extract', GARBLED) })).toBe('review');
    await review(id, 'reject');
    await post(`/documents/${id}/retry`);
    expect(await run({ extract: seeing('extract', GARBLED) })).toBe('review');
  });

  it('cannot be gone around by doing a later stage again', async () => {
    const id = await waiting();
    const { body } = await post(`/documents/${id}/retry`, { from_stage: 'embed' });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'pending', gate: null });
    expect(await run({ extract: seeing('extract', GARBLED) })).toBe('review');
  });

  it('said twice is said once; the opposite comes too late', async () => {
    const id = await waiting();
    expect((await review(id, 'approve')).status).toBe(202);
    expect((await review(id, 'approve')).status).toBe(202);
    expect(await review(id, 'reject')).toMatchObject({
      status: 409,
      body: { code: 'document-not-in-review', document_status: 'queued' },
    });
  });

  it('is for the owner, and of a shared document for managers', async () => {
    const id = await waiting();
    const colleague = { tenantId: owner.tenantId, userId: (await db.createTenant()).userId };
    const approve = { decision: 'approve' };
    const as = (who: Owner, role: 'member' | 'manager') =>
      post<{ code: string }>(`/documents/${id}/review`, approve, { as: who, role });
    expect((await as(await db.createTenant(), 'manager')).status).toBe(404);
    expect((await as(colleague, 'manager')).status).toBe(404);
    await db.owner.query(`update document set visibility = 'tenant' where id = $1`, [id]);
    expect(await as(colleague, 'member')).toMatchObject({ status: 403, body: { code: 'not-your-document' } });
    expect((await as(colleague, 'manager')).status).toBe(202);
  });
});

describe('cancelling', () => {
  it('stops a job that is worked on at once, and what comes late is not written', async () => {
    const id = await maker.addDocument(owner);
    const begun = Promise.withResolvers<ClaimedJob>();
    const aborted = Promise.withResolvers<unknown>();
    await startWorker({
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
    const { status, body } = await post(`/documents/${id}/cancel`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'cancelled', reason: { code: 'cancelled' }, expected_at: null });
    expect(await aborted.promise).toBeDefined();
    await expect(maker.jobs.fenced(job, async () => undefined)).rejects.toThrow(LeaseLost);
    expect((await document(id)).status).toBe('cancelled');
  });

  it('removes what was half made, and keeps what can be found', async () => {
    const id = await maker.addDocument(owner);
    const passages = app.app.get(PassageStore);
    const key = (generation: number) => ({ tenantId: owner.tenantId, documentId: id, generation });
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
    await run({
      structure: async () => ({
        commit: async (tx) => {
          await passages.replaceGeneration(tx, key(1), [passage('The deductible is $500.')]);
          await maker.documents.publishLexical(tx, id, { generation: 1, pageCount: 1, passageCount: 1 });
        },
      }),
      embed: async () => {
        throw new DocumentRejected('embedding-refused', 'Refused.');
      },
    });
    expect((await post(`/documents/${id}/retry`, { from_stage: 'structure' })).status).toBe(202);
    const half = Promise.withResolvers<void>();
    const job = (await maker.jobs.claim('worker-1'))!;
    expect(job.generation).toBe(2);
    const running = runner({
      structure: async (task, signal) => {
        await maker.jobs.fenced(task.job, (tx) => passages.replaceGeneration(tx, key(2), [passage('Half.')]));
        half.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const end = new AbortController();
    const ended = running.run(job, end.signal);
    await half.promise;
    const { body } = await post(`/documents/${id}/cancel`);
    expect(body).toMatchObject({ status: 'cancelled', answerable: 'lexical' });
    const rows = await db.owner.query(`select generation, text from passage where document_id = $1`, [id]);
    expect(rows.rows).toEqual([{ generation: 1, text: 'The deductible is $500.' }]);
    const left = await db.owner.query(
      `select name from job_stage where document_id = $1 and (result is not null or progress > 0)`,
      [id],
    );
    expect(left.rows).toEqual([{ name: 'receive' }]);
    end.abort(new LeaseLost(job));
    expect(await ended).toBe('lost');
  });

  it('works before the processing has begun, and while a person is to decide', async () => {
    const queued = await maker.addDocument(owner);
    expect((await post(`/documents/${queued}/cancel`)).body.status).toBe('cancelled');
    expect(await maker.jobs.claim('worker-1')).toBeUndefined();
    const parked = await maker.addDocument(owner);
    await run({ extract: seeing('extract', GARBLED) });
    expect((await post(`/documents/${parked}/cancel`)).body.status).toBe('cancelled');
    expect(await maker.jobs.claim('worker-1')).toBeUndefined();
  });

  it('twice is cancelling once, and what has ended cannot be cancelled', async () => {
    const id = await maker.addDocument(owner);
    await post(`/documents/${id}/cancel`);
    expect(await post(`/documents/${id}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    await post(`/documents/${id}/retry`);
    await run();
    expect(await post(`/documents/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'document-not-open', document_status: 'ready' },
    });
  });

  it('can be followed by a retry, which begins with the reading', async () => {
    const id = await maker.addDocument(owner);
    await run({
      structure: async () => {
        await post(`/documents/${id}/cancel`);
        return {};
      },
    });
    const read: string[] = [];
    const { status, body } = await post(`/documents/${id}/retry`);
    expect({ status, document: body.status }).toEqual({ status: 202, document: 'queued' });
    const works = new ScriptedStages(maker).works;
    await run({
      extract: (task, signal) => {
        read.push('extract');
        return works.extract.run(task, signal);
      },
    });
    expect(read).toEqual(['extract']);
    expect((await document(id)).status).toBe('ready');
  });
});

describe('a retry', () => {
  it('from a stage does it and all after it again', async () => {
    const id = await maker.addDocument(owner);
    await run({
      embed: async () => {
        throw new DocumentRejected('embedding-refused', 'Refused.');
      },
    });
    await db.owner.query(`update document set tags = '{}' where id = $1`, [id]);
    await db.owner.query(
      `insert into job_part (tenant_id, document_id, stage, ordinal, range, result, detail, started_at)
       values ($1, $2, 'extract', 0, '[1,1]', '', '{}', now())`,
      [owner.tenantId, id],
    );
    expect((await post(`/documents/${id}/retry`, { from_stage: 'structure' })).status).toBe(202);
    await run();
    expect((await document(id)).tags.toSorted()).toEqual(['assess', 'embed', 'publish', 'structure']);
  });

  it('of a ready document makes a new generation beside the one that is found', async () => {
    const id = await maker.addDocument(owner);
    const publishing: Script = {
      structure: async ({ job }) => ({
        commit: (tx) =>
          maker.documents.publishLexical(tx, id, {
            generation: job.generation,
            pageCount: 1,
            passageCount: 1,
          }),
      }),
    };
    await run(publishing);
    const live = async () =>
      (await db.owner.query(`select live_generation from document where id = $1`, [id])).rows[0]
        .live_generation;
    const { body } = await post(`/documents/${id}/retry`, { from_stage: 'structure' });
    expect(body).toMatchObject({ status: 'queued', answerable: 'lexical' });
    expect(stageOf(body, 'extract').status).toBe('pending');
    expect(await live()).toBe(1);
    await run(publishing);
    expect(await live()).toBe(2);
    expect((await document(id)).status).toBe('ready');
  });

  it('says why it cannot be', async () => {
    const id = await maker.addDocument(owner);
    expect(await post(`/documents/${id}/retry`, { from_stage: 'embed' })).toMatchObject({
      status: 409,
      body: { code: 'document-busy', document_status: 'queued' },
    });
    await run();
    expect(await post(`/documents/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'document-not-failed', document_status: 'ready' },
    });
    expect((await post(`/documents/${id}/retry`, { from_stage: 'cook' })).status).toBe(400);
  });
});

describe('the priority of a document', () => {
  it('can be changed until all is done', async () => {
    const [first, second] = [await maker.addDocument(owner), await maker.addDocument(owner)];
    expect((await document(second)).priority).toBe('normal');
    const { status, body } = await post(`/documents/${second}/priority`, { priority: 'high' });
    expect({ status, priority: body.priority }).toEqual({ status: 200, priority: 'high' });
    expect((await maker.jobs.claim('worker-1'))!.documentId).toBe(second);
    await run();
    expect(await post(`/documents/${first}/priority`, { priority: 'low' })).toMatchObject({
      status: 409,
      body: { code: 'document-not-open' },
    });
  });
});

describe('the expected time of a document', () => {
  it('is told once documents were processed, and not while they are paused', async () => {
    await maker.addDocument(owner);
    await run();
    const id = await maker.addDocument(owner);
    const { expected_at } = await document(id);
    expect(Date.parse(expected_at!)).toBeGreaterThan(Date.now() - 60_000);
    await post('/ingestion/pause', {}, { role: 'admin' });
    expect((await document(id)).expected_at).toBeNull();
  });
});

interface Letters {
  items: {
    document_id: string;
    reason_code: string;
    stage: string;
    attempts: number;
    title: string | null;
  }[];
  next_cursor: string | null;
}

describe('dead letters', () => {
  const fail = (stage: StageName, code: string): Script => ({
    [stage]: async () => {
      throw new DocumentRejected(code, 'No.');
    },
  });
  const letters = async (query = '') =>
    (await call<Letters>('GET', `/ingestion/dead-letters${query}`, undefined, { role: 'admin' })).body;

  async function failed(stage: StageName, code: string, collection: string | null = null): Promise<string> {
    const id = await maker.addDocument(owner, { collection });
    await run(fail(stage, code));
    return id;
  }

  it('are listed with reason, stage and attempts, page by page, the last one first', async () => {
    const a = await failed('extract', 'corrupt-file', 'plans');
    const b = await failed('embed', 'embedding-refused');
    const c = await failed('extract', 'parse-memory', 'plans');
    const first = await letters('?limit=2');
    expect(first.items).toMatchObject([
      { document_id: c, reason_code: 'parse-memory', stage: 'extract', attempts: 1, title: 'Plan' },
      { document_id: b, reason_code: 'embedding-refused', stage: 'embed' },
    ]);
    const rest = await letters(`?limit=2&cursor=${first.next_cursor}`);
    expect(rest.items.map((item) => item.document_id)).toEqual([a]);
    expect(rest.next_cursor).toBeNull();
    const of = async (query: string) => (await letters(query)).items.map((item) => item.document_id);
    expect(await of('?reason=corrupt-file')).toEqual([a]);
    expect(await of('?stage=embed')).toEqual([b]);
    expect(await of('?collection=plans')).toEqual([c, a]);
    expect((await call<{ dead_letters: number }>('GET', '/ingestion')).body.dead_letters).toBe(3);
  });

  it("hide the titles of other people's private documents", async () => {
    await failed('extract', 'corrupt-file');
    const admin = { tenantId: owner.tenantId, userId: (await db.createTenant()).userId };
    const { body } = await call<Letters>('GET', '/ingestion/dead-letters', undefined, {
      as: admin,
      role: 'admin',
    });
    expect(body.items).toMatchObject([{ reason_code: 'corrupt-file', title: null }]);
  });

  it('are tried again by what they have in common, up to a limit, and each once', async () => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await failed('extract', 'parse-memory'));
    const other = await failed('embed', 'embedding-refused');
    const retry = async (json: object) =>
      (await post<object>('/ingestion/dead-letters/retry', json, { role: 'admin' })).body;
    expect(await retry({ reason: 'parse-memory', limit: 2 })).toEqual({ retried: 2, remaining: 1 });
    expect((await document(ids[0]!)).status).toBe('queued');
    expect((await document(ids[2]!)).status).toBe('failed');
    expect(await retry({ ids: [ids[0], ids[2], other] })).toEqual({ retried: 2, remaining: 0 });
    expect(await retry({ ids: [ids[0], ids[2], other] })).toEqual({ retried: 0, remaining: 0 });
    for (let i = 0; i < 4; i++) expect(await run()).toBe('done');
    expect(await letters()).toEqual({ items: [], next_cursor: null });
  });

  it('of another tenant are neither seen nor tried again', async () => {
    const id = await failed('extract', 'corrupt-file');
    const stranger = { as: await db.createTenant(), role: 'admin' as const };
    expect((await call<Letters>('GET', '/ingestion/dead-letters', undefined, stranger)).body.items).toEqual(
      [],
    );
    expect((await post<object>('/ingestion/dead-letters/retry', { ids: [id] }, stranger)).body).toEqual({
      retried: 0,
      remaining: 0,
    });
    expect((await document(id)).status).toBe('failed');
  });
});
