import { LeaseLost, type ClaimedJob } from '../../../apps/api/src/ingestion/jobs/job.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let maker: ReturnType<typeof documentMaker>;
let owner: Owner;

beforeAll(async () => {
  db = await testDatabase();
  maker = documentMaker(db);
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
});

const claim = () => maker.jobs.claim('worker-1') as Promise<ClaimedJob>;
const finish = (job: ClaimedJob) => maker.jobs.fenced(job, (tx) => maker.jobs.finish(tx, job, 'done'));
const expire = (job: ClaimedJob) =>
  db.owner.query(`update job set lease_until = now() - interval '1 second' where document_id = $1`, [
    job.documentId,
  ]);
const rename = (job: ClaimedJob, title: string) =>
  maker.jobs.fenced(job, (tx) =>
    tx.query(`update document set title = $2 where id = $1`, [job.documentId, title]),
  );
const titleOf = async (id: string) =>
  (await db.owner.query(`select title from document where id = $1`, [id])).rows[0]?.title;

describe('the queue of jobs', () => {
  it('gives a job to one worker only, with what it needs to begin', async () => {
    const id = await maker.addDocument(owner);
    const job = await claim();
    expect(job).toMatchObject({
      tenantId: owner.tenantId,
      documentId: id,
      generation: 1,
      correlationId: `correlation-${id}`,
    });
    expect(job.waitedMs).toBeGreaterThanOrEqual(0);
    expect(await claim()).toBeUndefined();
  });

  it('gives each of many jobs out exactly once to workers that ask at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => maker.addDocument(owner)));
    const claimed = await Promise.all(Array.from({ length: 40 }, () => claim()));
    // A worker that came just between two others may have to ask again; nobody gets what another one has.
    let job = await claim();
    while (job) {
      claimed.push(job);
      job = await claim();
    }
    const given = claimed.filter((one) => one !== undefined).map((one) => one.documentId);
    expect(given.toSorted()).toEqual(ids.toSorted());
  });

  it('takes the oldest job of a tenant first', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await maker.addDocument(owner));
    const order = [(await claim()).documentId, (await claim()).documentId, (await claim()).documentId];
    expect(order).toEqual(ids);
  });

  it('does not let the many documents of one tenant hold up the few of another', async () => {
    for (let i = 0; i < 10; i++) await maker.addDocument(owner);
    const small = await db.createTenant();
    await maker.addDocument(small);
    await maker.addDocument(small);

    const turns = [];
    for (let i = 0; i < 6; i++) turns.push((await claim()).tenantId === small.tenantId ? 'small' : 'large');
    expect(turns.toSorted()).toEqual(['large', 'large', 'large', 'large', 'small', 'small']);
    expect(turns.slice(0, 4).filter((tenant) => tenant === 'small')).toHaveLength(2);
  });

  it('takes turns also when jobs end before the next is taken', async () => {
    const other = await db.createTenant();
    for (let i = 0; i < 4; i++) await maker.addDocument(owner);
    for (let i = 0; i < 4; i++) await maker.addDocument(other);
    const turns = [];
    for (let i = 0; i < 8; i++) {
      const job = await claim();
      turns.push(job.tenantId);
      await finish(job);
    }
    for (let i = 0; i < 8; i += 2) expect(new Set(turns.slice(i, i + 2)).size).toBe(2);
  });

  it('keeps a deferred job until its time has come', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    await maker.jobs.fenced(job, (tx) => maker.jobs.defer(tx, job, 60_000));
    expect(await claim()).toBeUndefined();
    await db.owner.query(`update job set run_at = now()`);
    expect((await claim()).documentId).toBe(job.documentId);
  });

  it('says how many jobs wait, and for how long', async () => {
    await maker.addDocument(owner);
    await maker.addDocument(owner);
    await db.owner.query(`update job set run_at = now() - interval '1 minute'`);
    const { waiting, oldestSeconds } = await maker.jobs.queueState();
    expect(waiting).toBe(2);
    expect(oldestSeconds).toBeGreaterThanOrEqual(60);
  });
});

describe('a lease', () => {
  it('is kept by heartbeats and, once it has run out, goes to another worker with a newer token', async () => {
    await maker.addDocument(owner);
    const first = await claim();
    expect(await maker.jobs.heartbeat(first)).toBe(true);
    expect(await maker.jobs.reclaim()).toBe(0);

    await expire(first);
    expect(await maker.jobs.reclaim()).toBe(1);
    const second = await claim();
    expect(second.documentId).toBe(first.documentId);
    expect(BigInt(second.fencingToken)).toBeGreaterThan(BigInt(first.fencingToken));
    expect(await maker.jobs.heartbeat(first)).toBe(false);
    expect(await maker.jobs.heartbeat(second)).toBe(true);
  });

  it('of a worker that is known to be dead ends at once', async () => {
    await maker.addDocument(owner);
    await claim();
    expect(await maker.jobs.listHolders()).toEqual(['worker-1']);
    expect(await maker.jobs.reclaim(['worker-2'])).toBe(0);
    expect(await maker.jobs.reclaim(['worker-1'])).toBe(1);
    expect(await maker.jobs.listHolders()).toEqual([]);
  });
});

describe('the fence', () => {
  it('lets the holder write', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    await rename(job, 'by the holder');
    expect(await titleOf(job.documentId)).toBe('by the holder');
  });

  it('lets a worker that lost its lease write nothing, even before another has taken the job', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    await expire(job);
    await maker.jobs.reclaim();
    await expect(rename(job, 'too late')).rejects.toThrow(LeaseLost);
    await claim();
    await expect(rename(job, 'too late')).rejects.toThrow(LeaseLost);
    expect(await titleOf(job.documentId)).toBe('Plan');
  });

  it('holds against a document that was deleted and uploaded again under the same id', async () => {
    const sha256 = Buffer.alloc(32, 7);
    const id = await maker.addDocument(owner, { sha256 });
    const old = await claim();
    await db.tenantDb.run(owner.tenantId, (tx) => maker.documents.delete(tx, id));
    expect(await maker.addDocument(owner, { sha256 })).toBe(id);
    const current = await claim();
    await expect(rename(old, 'from the past')).rejects.toThrow(LeaseLost);
    await rename(current, 'from today');
    expect(await titleOf(id)).toBe('from today');
  });

  it('keeps a job from changing hands while a write is under way', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    await maker.jobs.fenced(job, async () => {
      // From another connection the row is locked, so the expired lease is passed over for now.
      expect(await maker.jobs.reclaim(['worker-1'])).toBe(0);
    });
    expect(await maker.jobs.reclaim(['worker-1'])).toBe(1);
  });

  it('rolls back a write that fails', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    const failing = maker.jobs.fenced(job, async (tx) => {
      await tx.query(`update document set title = 'half' where id = $1`, [job.documentId]);
      throw new Error('the other half failed');
    });
    await expect(failing).rejects.toThrow('the other half failed');
    expect(await titleOf(job.documentId)).toBe('Plan');
  });
});

describe('what a job looks up', () => {
  type Look = Parameters<typeof maker.jobs.read<{ at: string; title: string }[]>>[1];
  // As text, with its microseconds: two transactions may begin within one millisecond.
  const look: Look = (tx) => tx.query(`select now()::text as at, title from document`);

  it('at one moment is seen in one transaction, and later in another', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    const [[one], [other]] = await Promise.all([maker.jobs.read(job, look), maker.jobs.read(job, look)]);
    expect(one).toEqual({ at: other!.at, title: 'Plan' });
    const [later] = await maker.jobs.read(job, look);
    expect(later!.at).not.toBe(one!.at);
  });

  it('fails together, and the next time is none the worse for it', async () => {
    await maker.addDocument(owner);
    const job = await claim();
    const wrong: Look = (tx) => tx.query(`select 1 / 0`);
    const outcomes = await Promise.allSettled([maker.jobs.read(job, look), maker.jobs.read(job, wrong)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await maker.jobs.read(job, look)).toHaveLength(1);
  });
});

describe('row-level security', () => {
  it('shows a worker the queue of all tenants, and nothing else of theirs', async () => {
    await maker.addDocument(owner);
    const counts = await db.tenantDb.runAsWorker(async (tx) => ({
      jobs: (await tx.query('select from job')).length,
      documents: (await tx.query('select from document')).length,
      stages: (await tx.query('select from job_stage')).length,
    }));
    expect(counts).toEqual({ jobs: 1, documents: 0, stages: 0 });
  });

  it('lets a worker neither make nor delete jobs', async () => {
    await maker.addDocument(owner);
    await db.tenantDb.runAsWorker((tx) => tx.query('delete from job'));
    expect((await db.owner.query('select from job')).rowCount).toBe(1);
  });

  it('shows another tenant neither documents nor jobs nor stages', async () => {
    await maker.addDocument(owner);
    const stranger = await db.createTenant();
    for (const table of ['document', 'job', 'job_stage'])
      expect(await db.tenantDb.run(stranger.tenantId, (tx) => tx.query(`select from ${table}`))).toEqual([]);
  });
});
