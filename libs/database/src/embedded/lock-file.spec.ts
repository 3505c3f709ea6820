import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, LockHeld } from './lock-file.js';
import { findProcess } from './process-table.js';

describe('a lock file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is taken by one and refused to the next, who learns the pid of the holder', async () => {
    await acquireLock(path);

    await expect(acquireLock(path)).rejects.toEqual(new LockHeld(process.pid));
  });

  it('can be taken again once it was released, and leaves nothing behind', async () => {
    await (await acquireLock(path)).release();
    await (await acquireLock(path)).release();

    expect(await readdir(folder)).toEqual([]);
  });

  it('is not taken from its next holder by a second release', async () => {
    const first = await acquireLock(path);
    await first.release();
    await acquireLock(path);

    await first.release();

    await expect(acquireLock(path)).rejects.toThrow(LockHeld);
  });

  it('does not outlive its holder', async () => {
    await leaveLockOf(await endedProcess());

    await acquireLock(path);

    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('does not pass to a process that was given the pid of its holder', async () => {
    await leaveLockOf({ pid: process.pid, started: 'long before this process' });

    await expect(acquireLock(path)).resolves.toBeDefined();
  });

  it.each(['', 'null', '{"pid":'])('is free when its file holds nothing that we wrote: %p', async (text) => {
    await writeFile(path, text);

    await expect(acquireLock(path)).resolves.toBeDefined();
  });

  it('has one winner when many find it stale at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      await leaveLockOf(await endedProcess());
      const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => acquireLock(path)));

      const won = attempts.filter(({ status }) => status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['lock']);
    }
  });

  it('has one winner when many find it free at the same moment', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => acquireLock(path)));

    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('can still be taken after a process was killed while replacing it', async () => {
    const killed = await endedProcess();
    await leaveLockOf(killed);
    await writeFile(`${path}.replacing`, JSON.stringify(killed));

    await acquireLock(path);

    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('fails with the error of the file system where its folder cannot be written', async () => {
    await expect(acquireLock(join(folder, 'absent', 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  const leaveLockOf = (holder: { pid: number; started: string }) => writeFile(path, JSON.stringify(holder));
});

/** The identity of a process that really was. */
async function endedProcess(): Promise<{ pid: number; started: string }> {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const { pid, started } = (await findProcess(child.pid!))!;
  child.stdin.end();
  await once(child, 'exit');
  return { pid, started };
}
