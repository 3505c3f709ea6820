import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { findProcess, findWithPs, isPidTaken, isRunning } from './process-table.js';

describe('the process table', () => {
  let child: ChildProcess;
  beforeEach(async () => {
    child = spawn('cat', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    // Between fork and exec a child still shows its parent's command line.
    while ((await findProcess(child.pid!))?.command !== 'cat -');
  });
  afterEach(() => child.kill('SIGKILL'));

  it('knows a process by its pid, start and command line', async () => {
    expect(await findProcess(child.pid!)).toEqual({
      pid: child.pid,
      started: expect.stringMatching(/\d/),
      command: 'cat -',
    });
  });

  it('knows no process once it has ended', async () => {
    const found = (await findProcess(child.pid!))!;
    expect(await isRunning(found)).toBe(true);

    child.stdin!.end();
    await once(child, 'exit');

    expect(await findProcess(child.pid!)).toBeUndefined();
    expect(await isRunning(found)).toBe(false);
    expect(isPidTaken(child.pid!)).toBe(false);
  });

  it('does not mistake a process for an earlier one with the same pid', async () => {
    expect(await isRunning({ pid: child.pid!, started: 'earlier' })).toBe(false);
  });

  it('takes a process that ended and was not reaped for ended, though its pid is still taken', async () => {
    // The shell starts a child, then becomes a program that never reaps it.
    const negligent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [line] = (await once(negligent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    while ((await findProcess(negligent.pid!))?.command !== 'cat');

    process.kill(pid, 'SIGKILL');
    while (await findProcess(pid));

    expect(isPidTaken(pid)).toBe(true);
    negligent.kill('SIGKILL');
    await once(negligent, 'exit');
  });

  (existsSync('/bin/ps') ? it : it.skip)('can be read with ps where there is no /proc', async () => {
    expect(await findWithPs(child.pid!)).toEqual({
      pid: child.pid,
      started: expect.stringMatching(/^\w{3} \w{3} .* \d{4}$/),
      command: 'cat -',
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await findWithPs(child.pid!)).toBeUndefined();
  });
});
