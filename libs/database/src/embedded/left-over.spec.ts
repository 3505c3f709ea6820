import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftOver } from './left-over.js';
import { findProcess } from './process-table.js';

describe('endLeftOver', () => {
  let cluster: string;
  let lines: string[];
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    cluster = await mkdtemp(join(tmpdir(), 'cluster-'));
    lines = [];
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    child = undefined;
    await rm(cluster, { recursive: true });
  });

  it('has nothing to do where no server ran, or the last one ended in order', async () => {
    await endLeftOver(cluster, (line) => lines.push(line));

    expect(lines).toEqual([]);
  });

  it('stops the server of the folder and waits for its end', async () => {
    const server = await leaveProcess(`postgres -D x -c navigator.data_folder=${cluster}`);

    await endLeftOver(cluster, (line) => lines.push(line));

    expect(await findProcess(server.pid!)).toBeUndefined();
    expect(server.signalCode ?? (await once(server, 'exit'))[1]).toBe('SIGINT');
    expect(lines).toEqual([expect.stringContaining(`process ${server.pid}`)]);
  });

  it('leaves a stranger alone who was given the pid, and removes the file that names it', async () => {
    const stranger = await leaveProcess('vim notes.txt');

    await endLeftOver(cluster, (line) => lines.push(line));

    expect(await findProcess(stranger.pid!)).toBeDefined();
    expect(await readdir(cluster)).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('refuses when the pid is a PostgreSQL server that it did not start', async () => {
    const server = await leaveProcess(`/usr/bin/postgres -D ${cluster}`);

    const attempt = endLeftOver(cluster, (line) => lines.push(line));

    await expect(attempt).rejects.toMatchObject({
      code: 'folder-in-use',
      message: expect.stringContaining(`process ${server.pid}`),
    });
    expect(await findProcess(server.pid!)).toBeDefined();
    expect(await readdir(cluster)).toEqual(['postmaster.pid']);
  });

  it('keeps the file of a server that crashed, which PostgreSQL needs to look for its children', async () => {
    const server = await leaveProcess(`postgres -D x -c navigator.data_folder=${cluster}`);
    server.kill('SIGKILL');
    await once(server, 'exit');

    await endLeftOver(cluster, (line) => lines.push(line));

    expect(await readdir(cluster)).toEqual(['postmaster.pid']);
  });

  /** A process that shows the command line, and PostgreSQL's file that names it. */
  async function leaveProcess(command: string): Promise<ChildProcess> {
    child = spawn('cat', [], { argv0: command, stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    while ((await findProcess(child.pid!))?.command !== command);
    await writeFile(join(cluster, 'postmaster.pid'), `${child.pid}\n${cluster}\n`);
    return child;
  }
});
