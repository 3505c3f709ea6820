/**
 * Kills workers by SIGKILL at random instants, again and again, while documents of many kinds come in, and looks all
 * the time for documents of which only a part can be seen. At the end every document that was acknowledged must be
 * ready, have exactly the passages that it has when nothing disturbs, and have been embedded hardly more than once.
 * `npm run bench:crashes`, or `node dist/bench/crashes/run.js [kills] [workers]`. Exits 1 when anything is wrong.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '#libs/database';
import { type ProgramProcess, spawnProgram } from '../../test/support/program-process.js';
import { percentile } from '../statistics.js';
import { CrashClient } from './crash-client.js';
import { mixedDocument } from './mixed-documents.js';
import { CountingEmbedder } from '../counting-embedder.js';
import { Watcher } from './watcher.js';

/** Documents under way at the same time, so that every worker has some at any moment. */
const UNDER_WAY = 24;
/** A kill comes at a random moment of this span after the one before. */
const KILL_EVERY_MS = 1_600;
const LOOK_EVERY_MS = 100;
/** Of these the passages are compared with those of an undisturbed run. */
const COMPARED = 70;
/** What the stage of vectors of one document loses at most when it is killed. */
const BATCH = 16;
const RESUMED_WITHIN_MS = 35_000;

const [kills = 500, workerCount = 3] = process.argv.slice(2).map(Number);
const startedMs = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'navigator-crashes-'));
const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
const embedder = await CountingEmbedder.start();
const environment = {
  DATABASE_URL: database.url,
  DATA_DIR: join(folder, 'data'),
  BOOTSTRAP_ADMIN_EMAIL: CrashClient.ADMIN.email,
  BOOTSTRAP_ADMIN_PASSWORD: CrashClient.ADMIN.password,
  EMBEDDER_PROVIDER: 'openai',
  EMBEDDER_MODEL: 'counting',
  EMBEDDER_DIMENSIONS: String(embedder.dimensions),
  OPENAI_API_KEY: 'none',
  OPENAI_BASE_URL: embedder.url,
  // The sessions of killed workers live on for a moment, and a server has a hundred.
  DATABASE_POOL_MAX: '10',
  // No document here kills workers. One that is caught by chance five times in a row, at a kill every two seconds, is
  // given up like one that does, which is tested elsewhere.
  WORKER_MAX_CRASHES: '100',
  RATE_UPLOAD_PER_MINUTE: '1000000',
  RATE_READ_PER_MINUTE: '1000000',
};
const api = spawnProgram({ ...environment, ROLE: 'api', LOG_LEVEL: 'error' });
const workers: ProgramProcess[] = [];
const watching = new Client({ connectionString: database.url });
let isOver = false;
try {
  const client = await CrashClient.connect(await api.url);
  for (let i = 0; i < workerCount; i++) {
    workers.push(spawnWorker());
    await workers[i]!.url;
  }
  await watching.connect();
  const watcher = new Watcher(watching);
  const watched = watch(watcher);
  const fed = feed(client);
  for (let i = 1; i <= kills; i++) {
    await delay(Math.random() * KILL_EVERY_MS);
    await killOne(watcher);
    if (i % 50 === 0) console.log(`${i} kills, ${client.acknowledged.length} documents, ${seconds()}`);
  }
  isOver = true;
  await fed;
  const states = await client.untilSettled();
  const unique = await passagesIn();
  const { embedded } = embedder;
  await watched;
  const inexact = await client.compareUndisturbed(COMPARED);
  report({ client, watcher, states, unique, embedded, inexact });
} finally {
  isOver = true;
  for (const { child, exit } of [...workers, api]) {
    child.kill('SIGTERM');
    await exit;
  }
  await watching.end();
  await embedder.stop();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}

function spawnWorker(): ProgramProcess {
  return spawnProgram({ ...environment, ROLE: 'worker', LOG_LEVEL: 'error' });
}

/** The one that takes its place is started at once and not waited for. */
async function killOne(watcher: Watcher): Promise<void> {
  const at = Math.floor(Math.random() * workers.length);
  while (!(await isReady(workers[at]!))) workers[at] = spawnWorker();
  const { child, exit } = workers[at]!;
  child.kill('SIGKILL');
  await exit;
  await watcher.noteDeath(child.pid!);
  workers[at] = spawnWorker();
}

/** False when it could not start, as while the server has no connection left; whoever runs it starts it again. */
function isReady({ url }: ProgramProcess): Promise<boolean> {
  return url.then(
    () => true,
    () => false,
  );
}

async function watch(watcher: Watcher): Promise<void> {
  while (!isOver) {
    await watcher.look();
    await delay(LOOK_EVERY_MS);
  }
}

async function feed(client: CrashClient): Promise<void> {
  for (let number = 0; !isOver;) {
    if ((await client.countUnsettled()) < UNDER_WAY) await client.upload(await mixedDocument(number++));
    else await delay(200);
  }
}

/** All passages of all documents, also of those that were attached to others. */
async function passagesIn(): Promise<{ passages: number; doubled: number }> {
  const { rows } = await watching.query<{ passages: number; doubled: number }>(
    `select count(*)::int as passages,
            (count(*) - count(distinct (document_id, ordinal)))::int as doubled from passage`,
  );
  return rows[0]!;
}

function report(seen: {
  client: CrashClient;
  watcher: Watcher;
  states: Map<string, number>;
  unique: { passages: number; doubled: number };
  embedded: number;
  inexact: string[];
}): void {
  const { client, watcher, states, unique, embedded, inexact } = seen;
  const resumedMs = watcher.resumptions.map(({ ms }) => ms);
  const redone = embedded - unique.passages;
  const lost = client.acknowledged.length - client.listed.size;
  const rows = {
    'kills by SIGKILL': `${kills}, of ${workerCount} workers`,
    'documents acknowledged': client.acknowledged.length,
    'how they ended': [...states].map(([state, count]) => `${count} ${state}`).join(', '),
    'documents lost': lost,
    'passages, and how many twice': `${unique.passages}, ${unique.doubled}`,
    'documents half visible': `${watcher.halfVisible.size} in ${watcher.count} looks`,
    'not the same as undisturbed': `${inexact.length} of ${COMPARED}`,
    'jobs that lost their worker': resumedMs.length,
    'resumed after, p50 / p95 / longest': [0.5, 0.95, 1]
      .map((share) => `${((percentile(resumedMs, share) ?? 0) / 1_000).toFixed(1)} s`)
      .join(' / '),
    'passages embedded again': `${redone}, ${(redone / kills).toFixed(1)} a kill, ${(redone / resumedMs.length).toFixed(1)} a document that it hit`,
    'all took': seconds(),
  };
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(36)} ${value}`);
  for (const problem of [...watcher.halfVisible, ...inexact, ...client.problems]) console.log(`  ${problem}`);
  const isWrong =
    lost > 0 ||
    (states.get('ready') ?? 0) < client.acknowledged.length ||
    unique.doubled > 0 ||
    watcher.halfVisible.size > 0 ||
    inexact.length > 0 ||
    redone > resumedMs.length * BATCH ||
    resumedMs.some((ms) => ms > RESUMED_WITHIN_MS);
  if (isWrong) process.exitCode = 1;
}

function seconds(): string {
  return `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`;
}
