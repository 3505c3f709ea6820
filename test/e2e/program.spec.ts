import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesNaming, type ProgramProcess, spawnProgram } from '../support/program-process.js';

const START_LIMIT_MS = 60_000;

describe('the program as a process, on its embedded database', () => {
  let dataDir: string;
  const running: ProgramProcess[] = [];
  const start = (environment = {}, options = {}) => {
    const program = spawnProgram({ DATA_DIR: dataDir, ...environment }, options);
    running.push(program);
    return program;
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'navigator-program-'));
  });
  afterEach(async () => {
    for (const { child, exit } of running.splice(0)) {
      child.kill('SIGTERM');
      await exit;
    }
    await rm(dataDir, { recursive: true, force: true });
  });

  const login = async (url: string, email: string, password: string) =>
    (
      await fetch(`${url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password }),
      })
    ).status;

  it(
    'shows the first administrator’s credentials once, keeps its secrets to itself and ends in order',
    async () => {
      const first = start();
      const url = await first.url;
      const [, email, password] = /e-mail: +(\S+)\s+password: +(\S+)/.exec(first.announced())!;
      await expect(login(url, email!, password!)).resolves.toBe(200);
      await expect(login(url, email!, 'not the password')).resolves.toBe(401);
      for (const file of await readdir(join(dataDir, 'secrets')))
        expect((await stat(join(dataDir, 'secrets', file))).mode & 0o777).toBe(0o600);
      first.child.kill('SIGTERM');
      await expect(first.exit).resolves.toBe(0);

      const second = start();
      await expect(login(await second.url, email!, password!)).resolves.toBe(200);
      expect(second.announced()).not.toContain('password');
    },
    2 * START_LIMIT_MS,
  );

  it(
    'takes the first administrator from its settings, and then has nothing to show',
    async () => {
      const credentials = { email: 'ops@example.com', password: 'a long enough passphrase' };
      const program = start({
        BOOTSTRAP_ADMIN_EMAIL: credentials.email,
        BOOTSTRAP_ADMIN_PASSWORD: credentials.password,
      });
      await expect(login(await program.url, credentials.email, credentials.password)).resolves.toBe(200);
      expect(program.announced()).not.toContain(credentials.password);
    },
    START_LIMIT_MS,
  );

  it(
    'ends everything that it started when npm, which started it, is told to end',
    async () => {
      const program = start({}, { command: 'npm', args: ['start', '--silent'] });
      await program.url;
      program.child.kill('SIGTERM');
      await program.exit;
      while ((await processesNaming(dataDir)).length > 0) await new Promise(setImmediate);
    },
    START_LIMIT_MS,
  );

  it(
    'refuses a second start on the same folder and leaves the first alone',
    async () => {
      const first = start();
      const url = await first.url;
      const second = start();
      await expect(second.exit).resolves.toBe(1);
      expect(second.announced()).toMatch(/in use/i);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    },
    START_LIMIT_MS,
  );

  it(
    'comes back after SIGKILL with what it had',
    async () => {
      const first = start();
      await first.url;
      const [, email, password] = /e-mail: +(\S+)\s+password: +(\S+)/.exec(first.announced())!;
      first.child.kill('SIGKILL');
      await first.exit;
      const second = start();
      await expect(login(await second.url, email!, password!)).resolves.toBe(200);
    },
    2 * START_LIMIT_MS,
  );

  it('names a bad setting and does not start', async () => {
    const program = start({ PORT: 'eighty', ROLE: 'king' });
    await expect(program.exit).resolves.toBe(1);
    expect(program.announced()).toMatch(/PORT: [^]*ROLE: |ROLE: [^]*PORT: /);
  });

  it(
    'answers nothing but health and metrics as a worker',
    async () => {
      const url = await start({ ROLE: 'worker' }).url;
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect((await fetch(`${url}/v1/documents`)).status).toBe(404);
      expect((await fetch(`${url}/v1/auth/login`, { method: 'POST' })).status).toBe(404);
    },
    START_LIMIT_MS,
  );
});
