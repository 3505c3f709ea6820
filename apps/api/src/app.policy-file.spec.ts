import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { InvalidConfiguration } from '#libs/config';
import { PolicyRegistry } from '#libs/resilience';
import { PolicyFile } from './app.policy-file.js';

/** Lets the next look at the file happen when the test says so. */
class Ticks {
  private callback?: () => void;
  now = () => 0;
  after(_ms: number, callback: () => void) {
    this.callback = callback;
    return () => (this.callback = undefined);
  }
  get isWaiting() {
    return this.callback !== undefined;
  }
  /** Until the file was looked at and the next look is waited for. */
  async next() {
    const { callback } = this;
    this.callback = undefined;
    callback!();
    while (!this.isWaiting) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the file with options of policies', () => {
  let folder: string;
  let path: string;
  let policies: PolicyRegistry;
  let ticks: Ticks;
  let file: PolicyFile | undefined;

  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'policy-file-'));
    path = join(folder, 'policies.json');
    policies = new PolicyRegistry();
    policies.define('postgres', { attemptTimeoutMs: 1_000, breaker: {} });
    policies.define('model:a', { attemptTimeoutMs: 1_000 });
    ticks = new Ticks();
  });
  afterEach(async () => {
    file?.close();
    policies.close();
    await rm(folder, { recursive: true });
  });

  const write = (content: unknown) =>
    writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  const open = async () => (file = await PolicyFile.open(path, policies, ticks));
  const timeoutOf = (name: string) => policies.policy(name).describe().options.attemptTimeoutMs;
  const refusals = () => policies.events.list('*').map(({ type, detail }) => [type, detail!.problem]);

  it('is applied at start', async () => {
    await write({ postgres: { attemptTimeoutMs: 5_000 }, 'model:*': { attemptTimeoutMs: 7_000 } });
    await open();
    expect([timeoutOf('postgres'), timeoutOf('model:a')]).toEqual([5_000, 7_000]);
  });

  it('may be none at all', async () => {
    await expect(PolicyFile.open(undefined, policies, ticks)).resolves.toBeUndefined();
    expect(ticks.isWaiting).toBe(false);
  });

  it.each([
    ['a value out of range', { postgres: { breaker: { windowMs: 1 } } }, /postgres\.breaker\.windowMs/],
    ['a policy that there is not', { mysql: {} }, /mysql: there is no policy of this name/],
    ['something else than JSON', '{', /is not JSON/],
    ['something else than an object', [1], /is not an object of policies/],
  ])('ends the start with %s, naming the setting and what is wrong', async (_, content, problem) => {
    await write(content);
    await expect(open()).rejects.toThrow(InvalidConfiguration);
    await expect(open()).rejects.toThrow(/RESILIENCE_FILE/);
    await expect(open()).rejects.toThrow(problem);
  });

  it('ends the start when it is not there', async () => {
    await expect(open()).rejects.toThrow(/RESILIENCE_FILE: cannot be read \(ENOENT\)/);
  });

  it('is read again when it changes, also when another takes its place, and not else', async () => {
    await write({});
    await open();
    await write({ postgres: { attemptTimeoutMs: 5_000 } });
    await ticks.next();
    expect(timeoutOf('postgres')).toBe(5_000);
    const other = join(folder, 'other.json');
    await writeFile(other, JSON.stringify({ postgres: { attemptTimeoutMs: 6_000 } }));
    await rename(other, path);
    await ticks.next();
    expect(timeoutOf('postgres')).toBe(6_000);
    const events = policies.events.list().length;
    await ticks.next();
    expect(policies.events.list()).toHaveLength(events);
  });

  it('changes nothing while it is bad, says so once, and is tried again when it changes again', async () => {
    await write({ postgres: { attemptTimeoutMs: 5_000 } });
    await open();
    await write({ postgres: { attemptTimeoutMs: -5 }, 'model:a': { attemptTimeoutMs: 9_000 } });
    await ticks.next();
    await ticks.next();
    expect([timeoutOf('postgres'), timeoutOf('model:a')]).toEqual([5_000, 1_000]);
    expect(refusals()).toEqual([
      ['reconfiguration-refused', expect.stringContaining('postgres.attemptTimeoutMs')],
    ]);
    await write({ postgres: { attemptTimeoutMs: 8_000 } });
    await ticks.next();
    expect(timeoutOf('postgres')).toBe(8_000);
  });

  it('keeps the options when it is taken away, and reads it when it is back', async () => {
    await write({ postgres: { attemptTimeoutMs: 5_000 } });
    await open();
    await rm(path);
    await ticks.next();
    await ticks.next();
    expect(timeoutOf('postgres')).toBe(5_000);
    expect(refusals()).toEqual([['reconfiguration-refused', 'cannot be read (ENOENT)']]);
    await write({ postgres: { attemptTimeoutMs: 6_000 } });
    await ticks.next();
    expect(timeoutOf('postgres')).toBe(6_000);
  });

  it('is looked at no more when it is closed', async () => {
    await write({});
    await open();
    file!.close();
    expect(ticks.isWaiting).toBe(false);
  });
});
