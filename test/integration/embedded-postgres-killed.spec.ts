import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedServers, query, until } from '../support/embedded-servers.js';

describe('the embedded PostgreSQL and its parent', () => {
  const { lines, start, startParent, emptyFolder, usedFolder, copyOfUsedFolder } = embeddedServers();

  describe('when the parent was killed', () => {
    it('the server runs on, and the next start ends it and has all that was committed', async () => {
      const folder = await copyOfUsedFolder();
      const parent = startParent(folder);
      const { url, serverPid } = await parent.outcome;
      await query({ url }, "create table note as select 'committed' as text");
      await parent.kill();
      expect(await query({ url }, 'select text from note')).toEqual([{ text: 'committed' }]);

      const server = await start(folder);

      expect(server.pid).not.toBe(serverPid);
      expect(lines()).toContainEqual(
        expect.stringContaining(`process ${serverPid}) that an earlier run left behind`),
      );
      expect(lines()).toContainEqual(expect.stringContaining('database system was shut down'));
      expect(await query(server, 'select text from note')).toEqual([{ text: 'committed' }]);
    });

    it('and the server too, the next start recovers what was committed', async () => {
      const folder = await copyOfUsedFolder();
      const parent = startParent(folder);
      const { url, serverPid } = await parent.outcome;
      await query({ url }, "create table note as select 'committed' as text");
      process.kill(serverPid, 'SIGKILL');
      await parent.kill();

      const server = await start(folder);

      expect(lines()).toContainEqual(expect.stringContaining('automatic recovery in progress'));
      expect(await query(server, 'select text from note')).toEqual([{ text: 'committed' }]);
    });

    it('and the server too, a stranger who was given its pid is left alone', async () => {
      const parent = startParent(usedFolder());
      const { serverPid } = await parent.outcome;
      process.kill(serverPid, 'SIGKILL');
      await parent.kill();
      const stranger = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
      const file = join(usedFolder(), 'pgdata', 'postmaster.pid');
      await writeFile(file, (await readFile(file, 'utf8')).replace(/^\d+/, String(stranger.pid)));

      await start(usedFolder());

      expect(stranger.signalCode).toBeNull();
      stranger.kill();
    });

    it('in the middle of the first start, the next one begins anew', async () => {
      const folder = await emptyFolder();
      const parent = startParent(folder);
      await until(async () => {
        const unfinished = (await readdir(folder)).find((name) => name.startsWith('pgdata.unfinished'));
        return unfinished !== undefined && existsSync(join(folder, unfinished, 'data', 'PG_VERSION'));
      });
      await parent.kill();
      expect(await readdir(folder)).not.toContain('pgdata');

      const server = await start(folder);

      expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect((await readdir(folder)).sort()).toEqual(['pgdata', 'postgres.lock', 'postgres.password']);
    });
  });

  it('part in order when the parent exits without stopping it', async () => {
    const parent = startParent(usedFolder());
    const { url } = await parent.outcome;
    parent.process.stdin!.write('exit');
    await once(parent.process, 'exit');

    await until(() => query({ url }, 'select 1').then(() => false, isRefusal));
  });

  describe('in one folder', () => {
    it('keep out a second program, which learns the pid of the first', async () => {
      const first = startParent(usedFolder());
      await first.outcome;

      await expect(start(usedFolder())).rejects.toMatchObject({
        code: 'folder-in-use',
        message: expect.stringContaining(`process ${first.pid}`),
      });
      await first.end();

      await expect(start(usedFolder())).resolves.toBeDefined();
    });

    it('are one of two programs that start at the same moment', async () => {
      const outcomes = await Promise.all([
        startParent(usedFolder()).outcome,
        startParent(usedFolder()).outcome,
      ]);

      expect(outcomes.map(({ code }) => code ?? 'started').sort()).toEqual(['folder-in-use', 'started']);
    });

    it('are there once when a program starts several servers at once', async () => {
      const attempts = await Promise.allSettled([
        start(usedFolder()),
        start(usedFolder()),
        start(usedFolder()),
      ]);

      expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });
});

function isRefusal(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNREFUSED';
}
