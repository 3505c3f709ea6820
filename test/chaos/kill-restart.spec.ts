import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { STAGE_NAMES } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { planText } from '../../bench/plan-text.js';
import { ADMIN, Api, type Result } from '../support/chaos-api.js';
import { type ProgramProcess, spawnProgram } from '../support/program-process.js';

/** The real, built program as a child process, killed by SIGKILL and started again on the same data folder. */

const MAIN = 'dist/apps/api/src/main.js';
const CRASH = fileURLToPath(new URL('../support/crash-at.mjs', import.meta.url));
/** Long enough for three batches of vectors. */
const TEXT = planText(1, 40, 2);

let dataDir: string;
let undisturbed: Result;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'navigator-chaos-'));
  undisturbed = await inProgram(async (api) => {
    const { id } = await api.upload(TEXT);
    const result = await api.result(id);
    await api.delete(id);
    return result;
  });
  expect(undisturbed.document).toMatchObject({ status: 'ready', answerable: 'semantic', percent: 100 });
  expect(undisturbed.passages.length).toBeGreaterThan(32);
}, 120_000);

afterAll(() => rm(dataDir, { recursive: true, force: true }));

const places = [...STAGE_NAMES.flatMap((stage) => [`${stage}:before`, `${stage}:after`]), 'embed:batch'];

describe('a program that is killed', () => {
  it.each(places)(
    'at %s has the same result after its restart as without',
    async (place) => {
      const crashing = start({ CRASH_AT: place }, ['--import', CRASH, MAIN]);
      const { id } = await (await Api.connect(await crashing.url)).upload(TEXT);
      await crashing.exit;
      expect(crashing.child.signalCode).toBe('SIGKILL');

      await inProgram(async (api) => {
        expect(await api.result(id)).toEqual(undisturbed);
        expect(await api.listIds()).toEqual([id]);
        await api.delete(id);
      });
    },
    120_000,
  );

  it('between an uploaded file and its row leaves no document and, soon after its restart, no file', async () => {
    const crashing = start({ CRASH_AT: 'upload:file' }, ['--import', CRASH, MAIN]);
    const api = await Api.connect(await crashing.url);
    await expect(api.upload(TEXT)).rejects.toThrow('fetch failed');
    await crashing.exit;
    expect(await storedFiles()).toHaveLength(1);

    await inProgram(async (restarted) => {
      expect(await restarted.listIds()).toEqual([]);
      while ((await storedFiles()).length > 0) await delay(50);
    });
  }, 120_000);

  it('before it could answer an upload gives the same document when the client sends the file again', async () => {
    const crashing = start({ CRASH_AT: 'upload:commit' }, ['--import', CRASH, MAIN]);
    const api = await Api.connect(await crashing.url);
    await expect(api.upload(TEXT)).rejects.toThrow('fetch failed');
    await crashing.exit;

    await inProgram(async (restarted) => {
      const { id } = await restarted.upload(TEXT);
      expect(await restarted.result(id)).toEqual(undisturbed);
      expect(await restarted.listIds()).toEqual([id]);
      await restarted.delete(id);
    });
  }, 120_000);
});

function start(environment: Record<string, string>, args = [MAIN]): ProgramProcess {
  return spawnProgram(
    {
      DATA_DIR: dataDir,
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      ...environment,
    },
    { args },
  );
}

async function inProgram<T>(use: (api: Api) => Promise<T>): Promise<T> {
  const program = start({});
  try {
    return await use(await Api.connect(await program.url));
  } finally {
    program.child.kill('SIGTERM');
    if (program.child.exitCode === null) await once(program.child, 'exit');
  }
}

async function storedFiles(): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}
