import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The oldest release that the product supports, as Debian packages it. */
const BINARIES = '/usr/lib/postgresql/15/bin';
export const debianPostgresInstalled = existsSync(join(BINARIES, 'postgres'));

const NOBODY = { uid: 65_534, gid: 65_534 };

/** A PostgreSQL 15 of its own on a free port, for tests against a server that is not the embedded one. */
export async function startDebianPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-pg15-'));
  const account: { uid?: number; gid?: number } = process.getuid?.() === 0 ? NOBODY : {}; // PostgreSQL refuses to run as root.
  if (account.uid) await chown(folder, account.uid, account.gid!);
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, 'owner-password');
  if (account.uid) await chown(passwordFile, account.uid, account.gid!);

  const cluster = join(folder, 'data');
  const initdb = [
    '-D',
    cluster,
    '-U',
    'owner',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
  ];
  await promisify(execFile)(join(BINARIES, 'initdb'), initdb, { ...account, cwd: folder });
  const port = await freePort();
  const settings = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', folder, '-c', 'fsync=off'];
  const server = spawn(join(BINARIES, 'postgres'), ['-D', cluster, ...settings], {
    ...account,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error('PostgreSQL 15 did not start')));
    server.stderr.on('data', (chunk: Buffer) => {
      if (chunk.includes('ready to accept connections')) resolve();
    });
  });
  return {
    url: `postgres://owner:owner-password@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill('SIGINT');
      await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
