import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerOptions, ServerProcess } from './server.js';

/** Programs that behave as the server does, each in one respect. */
const LISTEN = `
  import { createServer } from 'node:http';
  const server = createServer((_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1', () =>
    console.error('Insurance Navigator answers at http://127.0.0.1:' + server.address().port + ' (API)'));`;
const PROGRAMS = {
  'orderly.mjs': `${LISTEN} process.on('SIGTERM', () => process.exit(0));`,
  'stubborn.mjs': `${LISTEN} process.on('SIGTERM', () => {});`,
  'failing.mjs': `console.error('PORT: must be a number'); process.exit(1);`,
  'silent.mjs': `setInterval(() => {}, 1000);`,
};

let folder: string;
let running: ServerProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-server-spec-'));
  for (const [name, text] of Object.entries(PROGRAMS)) await writeFile(join(folder, name), text);
});
afterEach(async () => {
  running?.kill();
  await running?.exited;
});
afterAll(() => rm(folder, { recursive: true }));

function start(program: keyof typeof PROGRAMS, options: Partial<ServerOptions> = {}): ServerProcess {
  running = new ServerProcess({
    program: join(folder, program),
    dataDir: folder,
    temporary: true,
    environment: {},
    signal: new AbortController().signal,
    ...options,
  });
  return running;
}

describe('ServerProcess', () => {
  it('tells the address as soon as the server is ready', async () => {
    const url = await start('orderly.mjs').ready();
    expect((await fetch(url)).ok).toBe(true);
  });

  it('ends the server by asking it', async () => {
    const server = start('orderly.mjs');
    const url = await server.ready();
    await server.stop();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it('kills a server that does not end when asked', async () => {
    const server = start('stubborn.mjs', { stopLimitMs: 50 });
    const url = await server.ready();
    await server.stop();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('gives the last lines of a server that ends while starting', async () => {
    await expect(start('failing.mjs').ready()).rejects.toThrow('PORT: must be a number');
  });

  it('gives up on a server that is not ready in time', async () => {
    await expect(start('silent.mjs', { startLimitMs: 60 }).ready()).rejects.toThrow('not ready in time');
  });

  it('stops waiting at an interruption', async () => {
    const controller = new AbortController();
    const ready = start('silent.mjs', { signal: controller.signal }).ready();
    controller.abort(new Error('Ctrl-C'));
    await expect(ready).rejects.toThrow();
  });

  it('says when there is no such program', async () => {
    await expect(start('silent.mjs', { program: join(folder, 'none.mjs') }).ready()).rejects.toThrow(
      'Cannot find module',
    );
  });
});
