import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planText } from '../../bench/plan-text.js';
import { ADMIN, Api } from '../support/chaos-api.js';
import { PROGRAM, type ProgramProcess, spawnProgram } from '../support/program-process.js';

/** The real, built program as a child process, killed by SIGKILL while it makes a document anew. */

const CRASH = fileURLToPath(new URL('../support/crash-at.mjs', import.meta.url));

let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'navigator-reindex-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

function start(environment: Record<string, string> = {}, args = [PROGRAM]): ProgramProcess {
  const admin = { BOOTSTRAP_ADMIN_EMAIL: ADMIN.email, BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password };
  return spawnProgram({ DATA_DIR: dataDir, WORKER_POLL_MS: '200', ...admin, ...environment }, { args });
}

async function inProgram<T>(use: (api: Api) => Promise<T>): Promise<T> {
  const program = start();
  try {
    return await use(await Api.connect(await program.url));
  } finally {
    program.child.kill('SIGTERM');
    if (program.child.exitCode === null) await once(program.child, 'exit');
  }
}

it('ends an order that it was killed over at every turn, with nothing lost and nothing doubled', async () => {
  const { document, passages } = await inProgram(async (api) =>
    api.result((await api.upload(planText(1, 40, 2))).id),
  );
  let generation = 1;
  for (const [place, from] of [
    ['structure:after', 'extract'],
    ['embed:batch', 'embed'],
    ['publish:before', 'embed'],
    ['publish:after', 'extract'],
  ] as const) {
    const crashing = start({ CRASH_AT: place }, ['--import', CRASH, PROGRAM]);
    const order = await (await Api.connect(await crashing.url)).reindex(from);
    await crashing.exit;
    expect([place, crashing.child.signalCode]).toEqual([place, 'SIGKILL']);
    generation += 1;
    await inProgram(async (api) => {
      expect([place, await api.switchedBy(order)]).toEqual([place, 1]);
      expect(await api.result(document.id)).toMatchObject({ document, passages });
      expect((await api.get(document.id)).generation).toBe(generation);
    });
  }
}, 300_000);
