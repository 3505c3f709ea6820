import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export const redisInstalled = isInstalled('redis-server');

/** `describe`, or a skipped one that says why. */
export const describeWithRedis: (name: string, tests: () => void) => void = redisInstalled
  ? globalThis.describe
  : (name, tests) => describe.skip(`${name} (redis-server is not installed)`, tests);

/** Starts a Redis of its own on a free port, with an empty database that is never written to a disk. */
export async function startRedis(settings: Record<string, string> = {}): Promise<RedisServer> {
  const server = new RedisServer(
    await mkdtemp(join(tmpdir(), 'navigator-redis-')),
    await freePort(),
    settings,
  );
  await server.start();
  return server;
}

export class RedisServer {
  readonly url: string;
  private child?: ChildProcess;
  private client?: Redis;

  constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly settings: Record<string, string>,
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Again on the same port; empty, because nothing was written. */
  async start(): Promise<void> {
    const settings = { port: this.port, bind: '127.0.0.1', dir: this.folder, save: '', ...this.settings };
    const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      this.child!.once('error', reject);
      this.child!.once('exit', () => reject(new Error(`Redis did not start: ${output}`)));
      this.child!.stdout!.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Ready to accept connections')) resolve();
      });
    });
  }

  /** For the tests' own commands; its connection is made when it is first needed. */
  get cli(): Redis {
    this.client ??= new Redis(this.url, { lazyConnect: true, retryStrategy: () => 50 }).on(
      'error',
      () => undefined,
    );
    return this.client;
  }

  /** Ends at once, as if the power had gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Stops the process where it is; connections stay open and nothing is answered until `resume`. */
  pause(): void {
    this.child!.kill('SIGSTOP');
  }

  resume(): void {
    this.child!.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.client?.disconnect();
    await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
