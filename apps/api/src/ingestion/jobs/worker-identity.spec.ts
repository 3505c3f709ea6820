import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatIdentity, isDead, ownIdentity } from './worker-identity.js';

const own = ownIdentity();

describe('the identity of a worker', () => {
  it('tells that the own process lives', () => {
    expect(isDead(formatIdentity(own))).toBe(false);
  });

  it('tells that a process which has ended is dead', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    const identity = { ...own, pid: child.pid!, startTicks: '1' };
    await once(child, 'exit');
    expect(isDead(formatIdentity(identity))).toBe(true);
  });

  (own.startTicks ? it : it.skip)('is not fooled by a process that was given the same number', () => {
    expect(isDead(formatIdentity({ ...own, startTicks: '1' }))).toBe(true);
  });

  it('never calls a worker of another machine, boot or container dead', () => {
    expect(isDead(formatIdentity({ ...own, place: 'elsewhere', startTicks: '1' }))).toBe(false);
  });

  it('never calls a worker dead whose name it cannot read', () => {
    expect(isDead('worker-7')).toBe(false);
  });
});
