import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemActor } from './audit-record.js';
import { AuditSpool, AuditSpoolFull, type SpooledEvent } from './audit-spool.js';

const event = (action = 'question.ask'): SpooledEvent => ({
  id: randomUUID(),
  occurredAt: '2026-11-22T02:00:00.000Z',
  record: {
    action,
    category: 'data.read',
    actor: systemActor(randomUUID()),
    targets: [],
    outcome: 'success',
    context: {},
    detail: {},
  },
});

describe('the audit spool', () => {
  let folder: string;
  let spool: AuditSpool;
  let written: SpooledEvent[];
  const write = (events: SpooledEvent[]) => {
    written.push(...events);
    return Promise.resolve();
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'navigator-spool-'));
    spool = new AuditSpool(folder);
    written = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives back every event once, in order, and nothing afterwards', async () => {
    const events = Array.from({ length: 500 }, (_, i) => event(`act.${i}`));
    await Promise.all(events.map((one) => spool.append(one)));
    await expect(spool.drain(write)).resolves.toBe(500);
    expect(written).toEqual(events);
    await expect(spool.drain(write)).resolves.toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('can be read by its owner only', async () => {
    await spool.append(event());
    const [file] = await readdir(folder);
    expect((await stat(join(folder, file!))).mode & 0o777).toBe(0o600);
  });

  it('keeps what could not be written for the next time, and takes new events meanwhile', async () => {
    await spool.append(event('first'));
    await expect(spool.drain(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await spool.append(event('second'));
    await spool.drain(write);
    expect(written.map(({ record }) => record.action).sort()).toEqual(['first', 'second']);
  });

  it('is taken over by the next start, without a line that a crash cut off', async () => {
    await spool.append(event());
    const [file] = await readdir(folder);
    await appendFile(join(folder, file!), '{"id":"cut o');
    await utimes(join(folder, file!), 0, 0);
    await expect(new AuditSpool(folder).drain(write)).resolves.toBe(1);
  });

  it('takes what a process left that is gone, also when it looked too early at first', async () => {
    await spool.append(event());
    const [file] = await readdir(folder);
    const next = new AuditSpool(folder);
    await expect(next.drain(write)).resolves.toBe(0);
    await utimes(join(folder, file!), 0, 0);
    await expect(next.drain(write)).resolves.toBe(1);
  });

  it('loses nothing that comes while it is being emptied', async () => {
    const events = Array.from({ length: 300 }, (_, i) => event(`act.${i}`));
    let isOver = false;
    const appended = (async () => {
      for (const one of events) await spool.append(one);
    })().finally(() => (isOver = true));
    while (!isOver) {
      await spool.drain(write);
      await new Promise(setImmediate);
    }
    await appended;
    await spool.drain(write);
    expect(new Set(written.map(({ id }) => id))).toEqual(new Set(events.map(({ id }) => id)));
  });

  it('keeps what comes after a line that a full disk cut off', async () => {
    await spool.append(event('first'));
    const [file] = await readdir(folder);
    await appendFile(join(folder, file!), '{"id":"cut o');
    await spool.append(event('second'));
    await spool.drain(write);
    expect(written.map(({ record }) => record.action)).toEqual(['first', 'second']);
  });

  it('has room for as much as before when writing to the disk fails for a while', async () => {
    const [path, one] = [join(folder, 'spool'), event()];
    const small = new AuditSpool(path, JSON.stringify(one).length + 10);
    await writeFile(path, 'no folder');
    await expect(small.append(one)).rejects.toThrow();
    await rm(path);
    await small.append(one);
    await expect(small.drain(write)).resolves.toBe(1);
  });

  it('leaves alone what another process is writing at this moment', async () => {
    await spool.append(event());
    await expect(new AuditSpool(folder).drain(write)).resolves.toBe(0);
  });

  it('refuses what exceeds its limit, and has room again after it was drained', async () => {
    const one = event();
    const small = new AuditSpool(folder, JSON.stringify(one).length + 10);
    await small.append(one);
    expect(() => small.append(one)).toThrow(AuditSpoolFull);
    await small.drain(write);
    await small.append(one);
  });
});
