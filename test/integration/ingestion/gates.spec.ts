import type { DocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import type { GateEvidence } from '../../../apps/api/src/ingestion/workflow/gates/index.js';
import type { Owner } from '../../support/documents.js';
import { STAGE_NAMES, type StageName } from '../../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { ProcessingWorld, stageOf } from '../../support/processing-world.js';
import { type RunStage } from '../../support/scripted-stages.js';

let world: ProcessingWorld;
beforeAll(async () => {
  world = await ProcessingWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

const GARBLED = { words: 400, garbledRatio: 0.5 };

describe('a quality gate', () => {
  it('is shown with its stage, and a warning stops nothing', async () => {
    const id = await world.maker.addDocument(world.owner);
    expect(await world.run({ extract: world.seeing('extract', { words: 400, garbledRatio: 0.05 }) })).toBe(
      'done',
    );
    const body = await world.document(id);
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
    const id = await world.maker.addDocument(world.owner);
    expect(await world.run({ extract: world.seeing('extract', { words: 0 }) })).toBe('failed');
    const body = await world.document(id);
    expect(body).toMatchObject({ status: 'failed', reason: { code: 'no-text' }, tags: ['receive'] });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'failed', gate: { outcome: 'failed' } });
  });

  it('parks the job when a person has to decide, and nobody takes it meanwhile', async () => {
    const id = await world.maker.addDocument(world.owner);
    expect(await world.run({ extract: world.seeing('extract', GARBLED) })).toBe('review');
    const body = await world.document(id);
    expect(body).toMatchObject({
      status: 'needs_review',
      answerable: 'none',
      reason: { code: 'garbled-text' },
      expected_at: null,
    });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'done', gate: { outcome: 'needs_review' } });
    expect(stageOf(body, 'structure').status).toBe('pending');
    expect(await world.maker.jobs.claim('worker-2')).toBeUndefined();
    const listed = await world.call<{ items: DocumentBody[] }>('GET', '/documents?status=needs_review');
    expect(listed.body.items.map((item) => item.id)).toEqual([id]);
  });

  it('interrupts the stages beside it', async () => {
    const id = await world.maker.addDocument(world.owner);
    const embedding = Promise.withResolvers<void>();
    const outcome = await world.run({
      embed: (_, signal) => {
        embedding.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      assess: async (task, signal) => {
        await embedding.promise;
        return world.seeing('assess', GARBLED)(task, signal);
      },
    });
    expect(outcome).toBe('review');
    const body = await world.document(id);
    expect(stageOf(body, 'embed')).toMatchObject({ status: 'pending', attempts: 0 });
    await world.post(`/documents/${id}/review`, { decision: 'approve' });
    expect(await world.run()).toBe('done');
    expect((await world.document(id)).tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
  });
});

describe('a review', () => {
  async function waiting(stage: StageName = 'extract', evidence: GateEvidence = GARBLED): Promise<string> {
    const id = await world.maker.addDocument(world.owner);
    await world.run({ [stage]: world.seeing(stage, evidence) });
    expect((await world.document(id)).status).toBe('needs_review');
    return id;
  }
  const review = (id: string, decision: string, rest: object = {}) =>
    world.post(`/documents/${id}/review`, { decision, ...rest });

  it('that approves lets the job go on behind the gate', async () => {
    const id = await waiting();
    const { status, body } = await review(id, 'approve');
    expect({ status, document: body.status, reason: body.reason }).toEqual({
      status: 202,
      document: 'queued',
      reason: null,
    });
    const unasked: RunStage = () => Promise.reject(new Error('this stage is done'));
    expect(await world.run({ extract: unasked })).toBe('done');
    const after = await world.document(id);
    expect(after.tags.toSorted()).toEqual(STAGE_NAMES.toSorted());
    expect(stageOf(after, 'extract').gate).toMatchObject({ outcome: 'needs_review', decision: 'approve' });
  });

  it('comes before anything of a publishing stage can be found, and is not asked for twice', async () => {
    const id = await waiting('structure');
    const before = await world.document(id);
    expect(stageOf(before, 'structure').status).toBe('review');
    expect(before.tags).not.toContain('structure');
    await review(id, 'approve');
    expect(await world.run({ structure: world.seeing('structure', GARBLED) })).toBe('done');
    const after = await world.document(id);
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
    expect(await world.maker.jobs.claim('worker-2')).toBeUndefined();
  });

  it('is asked for again when the stage is done again', async () => {
    const id = await waiting();
    await review(id, 'approve');
    await world.run();
    expect((await world.post(`/documents/${id}/retry`, { from_stage: 'extract' })).status).toBe(202);
    expect(await world.run({ extract: world.seeing('extract', GARBLED) })).toBe('review');
    await review(id, 'reject');
    await world.post(`/documents/${id}/retry`);
    expect(await world.run({ extract: world.seeing('extract', GARBLED) })).toBe('review');
  });

  it('cannot be gone around by doing a later stage again', async () => {
    const id = await waiting();
    const { body } = await world.post(`/documents/${id}/retry`, { from_stage: 'embed' });
    expect(stageOf(body, 'extract')).toMatchObject({ status: 'pending', gate: null });
    expect(await world.run({ extract: world.seeing('extract', GARBLED) })).toBe('review');
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
    const colleague = { tenantId: world.owner.tenantId, userId: (await world.db.createTenant()).userId };
    const approve = { decision: 'approve' };
    const as = (who: Owner, role: 'member' | 'manager') =>
      world.post<{ code: string }>(`/documents/${id}/review`, approve, { as: who, role });
    expect((await as(await world.db.createTenant(), 'manager')).status).toBe(404);
    expect((await as(colleague, 'manager')).status).toBe(404);
    await world.db.owner.query(`update document set visibility = 'tenant' where id = $1`, [id]);
    expect(await as(colleague, 'member')).toMatchObject({ status: 403, body: { code: 'not-your-document' } });
    expect((await as(colleague, 'manager')).status).toBe(202);
  });
});
