import { jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandboxedChild } from './sandboxed-child.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandboxed-child-')));
const request = { filename: 'a.pdf', maxPages: 1, maxOutputBytes: 1_000 };
const children: SandboxedChild[] = [];

/** A parser process that says it is ready, and then does this with the first file. */
function childThat(
  misbehaves: string,
  limits: { memoryMb?: number; timeoutMs?: number } = {},
): SandboxedChild {
  const program = join(folder, `${children.length}.mjs`);
  writeFileSync(
    program,
    `const frame = (head, bytes = 0) => {
       const text = Buffer.from(JSON.stringify(head));
       const prefix = Buffer.alloc(8);
       prefix.writeUInt32BE(text.length, 0);
       prefix.writeUInt32BE(bytes, 4);
       return Buffer.concat([prefix, text]);
     };
     process.stdout.write(frame({ ready: true }));
     process.stdin.once('data', async () => { ${misbehaves} });
     process.stdin.on('end', () => process.exit(0));`,
  );
  const child = new SandboxedChild(
    { memoryMb: 256, timeoutMs: 60_000, maxOutputBytes: 1_000, ...limits },
    { path: program },
  );
  children.push(child);
  return child;
}

const ask = (child: SandboxedChild) =>
  child.ask(request, Buffer.from('%PDF-')).then(
    ({ head }) => head,
    (error: { code?: string }) => error.code,
  );

afterAll(async () => {
  for (const child of children) child.stop();
  await Promise.all(children.map((child) => child.ended));
  rmSync(folder, { recursive: true });
});

describe('SandboxedChild', () => {
  it('stops a parser that never ends', async () => {
    const child = childThat('for (;;);', { timeoutMs: 100 });
    expect(await ask(child)).toBe('parse-timeout');
    expect(child.alive).toBe(false);
  });

  it('stops a parser that takes more memory than it may, outside of the JavaScript heap, too', async () => {
    const hoard =
      'const all = []; for (;;) { all.push(Buffer.alloc(1 << 24, 1)); await new Promise(setImmediate); }';
    expect(await ask(childThat(hoard))).toBe('parse-memory');
    expect(await ask(childThat('const all = []; for (;;) all.push(new Array(1000).fill(all.length));'))).toBe(
      'parse-memory',
    );
  });

  it('calls a parser that ended without an answer crashed', async () => {
    expect(await ask(childThat('process.abort();'))).toBe('parser-crashed');
    expect(await ask(childThat('process.exit(0);'))).toBe('parser-crashed');
    const killed = childThat('');
    const answer = ask(killed);
    killed.stop();
    expect(await answer).toBe('parser-crashed');
  });

  it('stops a parser that answers more than is allowed', async () => {
    expect(await ask(childThat('process.stdout.write(frame({ mediaType: "a/b" }, 1_001));'))).toBe(
      'too-complex',
    );
  });

  it('gives the process no secrets, no files, no processes and no threads', async () => {
    process.env.PARSER_TEST_SECRET = 'sesame';
    const child = childThat(`
      const tries = {
        secret: () => { if (!process.env.PARSER_TEST_SECRET) throw 0; },
        read: async () => (await import('node:fs')).readFileSync('/etc/passwd'),
        write: async () => (await import('node:fs')).writeFileSync(${JSON.stringify(join(folder, 'written'))}, 'x'),
        process: async () => (await import('node:child_process')).execSync('true'),
        thread: async () => new (await import('node:worker_threads')).Worker('1', { eval: true }),
      };
      const done = [];
      for (const [name, attempt] of Object.entries(tries)) {
        try { await attempt(); done.push(name); } catch {}
      }
      process.stdout.write(frame({ done }));`);
    expect(await ask(child)).toEqual({ done: [] });
    delete process.env.PARSER_TEST_SECRET;
  });

  it('ends when the service is killed', async () => {
    const service = spawn(process.execPath, ['--input-type=module', '-e', SERVICE]);
    const [pid] = (await once(service.stdout, 'data')) as [Buffer];
    service.kill('SIGKILL');
    await once(service, 'close');
    await gone(Number(pid.toString()));
  });
});

/** A service that starts a parser process, says which, and goes on. */
const SERVICE = `
  const { SandboxedChild, builtProgram } = await import(${JSON.stringify(join(process.cwd(), 'dist/apps/api/src/ingestion/parsing/sandbox/sandboxed-child.js'))});
  const child = new SandboxedChild(
    { memoryMb: 256, timeoutMs: 60_000, maxOutputBytes: 1_000 },
    { path: builtProgram('parsing/sandbox/parser-process') },
  );
  process.stdout.write(String(child.pid));
  setInterval(() => {}, 1_000);`;

/** Resolves when there is no such process; Jest's own time limit is the deadline. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
