import { ControlStore } from '../../../apps/api/src/ingestion/control/control.store.js';
import { INSTALLATION } from '../../../apps/api/src/ingestion/jobs/claim.js';
import type { ClaimedJob, Priority } from '../../../apps/api/src/ingestion/jobs/job.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let maker: ReturnType<typeof documentMaker>;
let owner: Owner;
const control = new ControlStore();

beforeAll(async () => {
  db = await testDatabase();
  maker = documentMaker(db);
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  await db.owner.query('delete from ingestion_control');
  owner = await db.createTenant();
});

const claim = () => maker.jobs.claim('worker-1');
const finish = (job: ClaimedJob) => maker.jobs.fenced(job, (tx) => maker.jobs.finish(tx, job, 'done'));
const limit = (tenantId: string, most: number | null) =>
  db.tenantDb.changeAsOperator(owner.tenantId, (tx) => control.limit(tx, tenantId, most));
const pause = ({ tenantId, userId }: Owner) =>
  db.tenantDb.change(tenantId, (tx) =>
    control.pause(tx, tenantId, { by: userId, reason: 'the index is full' }),
  );

async function add(priority: Priority, { to = owner, minutesAgo = 0 } = {}): Promise<string> {
  const id = await maker.addDocument(to);
  await db.tenantDb.run(to.tenantId, (tx) => maker.jobs.setPriority(tx, id, priority));
  await db.owner.query(`update job set run_at = now() - make_interval(mins => $2) where document_id = $1`, [
    id,
    minutesAgo,
  ]);
  return id;
}

async function inOrder(): Promise<string[]> {
  const ids: string[] = [];
  for (let job = await claim(); job; job = await claim()) {
    ids.push(job.documentId);
    await finish(job);
  }
  return ids;
}

describe('priorities', () => {
  it('decide who comes first within a tenant', async () => {
    const low = await add('low');
    const normal = await add('normal');
    const high = await add('high');
    expect(await inOrder()).toEqual([high, normal, low]);
  });

  it('age, so that what is low waits at most an hour longer than what is high', async () => {
    const fresh = await add('high');
    const waiting = await add('low', { minutesAgo: 59 });
    const starving = await add('low', { minutesAgo: 61 });
    expect(await inOrder()).toEqual([starving, fresh, waiting]);
  });

  it('give no tenant an advantage over another', async () => {
    const other = await db.createTenant();
    for (let i = 0; i < 3; i++) await add('high');
    await add('low', { to: other });
    const turns = [];
    for (let i = 0; i < 2; i++) turns.push((await claim())!.tenantId);
    expect(turns.toSorted()).toEqual([owner.tenantId, other.tenantId].toSorted());
  });

  it('do not let a job come before its time', async () => {
    await add('high', { minutesAgo: -10 });
    const low = await add('low');
    expect(await inOrder()).toEqual([low]);
  });
});

describe('a pause', () => {
  it('lets no job of the tenant be taken, and hinders nobody else', async () => {
    await add('normal');
    const other = await db.createTenant();
    const free = await add('normal', { to: other });
    await pause(owner);
    expect(await inOrder()).toEqual([free]);
  });

  it('leaves the jobs that run alone, and ends with the resumption', async () => {
    await add('normal');
    const second = await add('normal');
    const running = (await claim())!;
    await pause(owner);
    expect(await claim()).toBeUndefined();
    expect(await maker.jobs.heartbeat(running)).toBe(true);
    await finish(running);
    await db.tenantDb.change(owner.tenantId, (tx) => control.resume(tx, owner.tenantId));
    expect((await claim())!.documentId).toBe(second);
  });

  it('of the installation stops everybody, and no tenant can order or lift it', async () => {
    await add('normal');
    await db.tenantDb.changeAsOperator(owner.tenantId, (tx) =>
      control.pause(tx, INSTALLATION, { by: owner.userId, reason: undefined }),
    );
    expect(await claim()).toBeUndefined();
    await db.tenantDb.change(owner.tenantId, (tx) => control.resume(tx, INSTALLATION));
    expect(await claim()).toBeUndefined();
    const ofAnother = (tenantId: string) =>
      db.tenantDb.change(owner.tenantId, (tx) => control.limit(tx, tenantId, 1));
    await expect(ofAnother(INSTALLATION)).rejects.toThrow(/row-level security/);
    await expect(ofAnother((await db.createTenant()).tenantId)).rejects.toThrow(/row-level security/);
  });

  it('is not counted as waiting', async () => {
    await add('normal', { minutesAgo: 20 });
    expect((await maker.jobs.queueState()).oldestSeconds).toBeGreaterThanOrEqual(1_200);
    await pause(owner);
    expect(await maker.jobs.queueState()).toEqual({ waiting: 1, oldestSeconds: 0 });
  });
});

describe('a limit', () => {
  it('of a tenant holds also when many workers ask at the same time', async () => {
    for (let i = 0; i < 12; i++) await add('normal');
    const other = await db.createTenant();
    for (let i = 0; i < 3; i++) await add('normal', { to: other });
    await limit(owner.tenantId, 2);
    const claimed = await Promise.all(Array.from({ length: 15 }, claim));
    for (let more = await claim(); more; more = await claim()) claimed.push(more);
    const of = (tenantId: string) => claimed.filter((job) => job?.tenantId === tenantId);
    expect(of(owner.tenantId)).toHaveLength(2);
    expect(of(other.tenantId)).toHaveLength(3);

    await finish(of(owner.tenantId)[0]!);
    expect((await claim())?.tenantId).toBe(owner.tenantId);
    expect(await claim()).toBeUndefined();
  });

  it('of the installation counts the jobs of all tenants', async () => {
    const other = await db.createTenant();
    for (const to of [owner, other]) for (let i = 0; i < 4; i++) await add('normal', { to });
    await limit(INSTALLATION, 3);
    const claimed = await Promise.all(Array.from({ length: 8 }, claim));
    for (let more = await claim(); more; more = await claim()) claimed.push(more);
    expect(claimed.filter(Boolean)).toHaveLength(3);
    await limit(INSTALLATION, null);
    expect(await claim()).toBeDefined();
  });
});

it('a claim goes along indexes, also past pauses and limits', async () => {
  for (let i = 0; i < 3; i++) await add('normal');
  await limit(owner.tenantId, 5);
  const { CLAIM } = await import('../../../apps/api/src/ingestion/jobs/claim.js');
  const plan = await db.tenantDb.runAsWorker(async (tx) => {
    await tx.query('set local enable_seqscan = off');
    const rows: { 'QUERY PLAN': string }[] = await tx.query(
      `explain ${CLAIM.replace('$1', `'w'`).replace('$2', '1000')}`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  expect(plan).toContain('job_queued');
  expect(plan).not.toContain('Seq Scan on job');
});
