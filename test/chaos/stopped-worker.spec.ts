import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddedPostgres, startEmbeddedPostgres, withClient } from '#libs/database';
import { planText } from '../../bench/plan-text.js';
import { ADMIN, Api } from '../support/chaos-api.js';
import { type ProgramProcess, spawnProgram } from '../support/program-process.js';

/** An api and two workers, real processes on one database; one worker is stopped (SIGSTOP) with a job in its hands. */

let folder: string;
let database: EmbeddedPostgres;
let programs: ProgramProcess[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'navigator-chaos-'));
  database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: { fsync: 'off' } });
  programs = [];
}, 60_000);

afterAll(async () => {
  for (const program of programs) {
    program.child.kill('SIGCONT');
    await end(program);
  }
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

it('a worker that slept through its lease and wakes up changes nothing, and goes on with other work', async () => {
  const api = await Api.connect(await start('api').url);
  const sleeper = start('worker');
  await sleeper.url;

  const { id } = await api.upload(planText(1, 60, 2));
  while ((await api.get(id)).percent < 40) await delay(20);
  sleeper.child.kill('SIGSTOP');
  expect((await api.get(id)).status).toBe('processing');

  const second = start('worker');
  expect((await api.result(id)).document).toMatchObject({
    status: 'ready',
    answerable: 'semantic',
    percent: 100,
  });
  const finished = await everythingOf(id);
  await end(second);

  sleeper.child.kill('SIGCONT');
  // Nobody else is there to do this one, so when it is ready the sleeper has woken up and given the first one up.
  const next = await api.upload(planText(2, 3, 2));
  expect((await api.result(next.id)).document.status).toBe('ready');
  expect(await everythingOf(id)).toEqual(finished);
}, 180_000);

function start(role: 'api' | 'worker'): ProgramProcess {
  const program = spawnProgram({
    ROLE: role,
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    WORKER_LEASE_MS: '2000',
    BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
    BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
  });
  programs.push(program);
  return program;
}

async function end({ child }: ProgramProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Every row of the document, with PostgreSQL's own marks of who wrote it and when. */
async function everythingOf(id: string): Promise<unknown> {
  return withClient(database.url, async (client) => {
    const rows: unknown[] = [];
    for (const table of ['job', 'job_stage', 'passage', 'passage_vector'])
      rows.push(
        (
          await client.query(
            `select xmin, ctid, t::text from ${table} t where document_id = $1 order by ctid`,
            [id],
          )
        ).rows,
      );
    rows.push((await client.query(`select xmin, t::text from document t where id = $1`, [id])).rows);
    return rows;
  });
}
