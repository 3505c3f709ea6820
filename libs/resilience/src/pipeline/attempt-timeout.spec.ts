import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { AttemptTimeout } from '../outcome.js';
import { Attempt, type Call } from './attempt.js';
import { AttemptTimeoutStrategy } from './attempt-timeout.js';
import { Pipeline } from './pipeline.js';

describe('AttemptTimeoutStrategy', () => {
  let clock: VirtualClock;
  let pipeline: Pipeline;
  let observed: [elapsedMs: number, error: unknown][];
  let seen: AbortSignal;

  beforeEach(() => {
    clock = new VirtualClock();
    observed = [];
    const strategy = new AttemptTimeoutStrategy(1_000, clock, (_, elapsedMs, error) =>
      observed.push([elapsedMs, error]),
    );
    pipeline = new Pipeline('test', [strategy], () => clock.now());
  });

  const attemptAt = (work: Call['work'], signal?: AbortSignal, isStream = false) =>
    new Attempt({ work, idempotent: true, priority: 'critical', isStream }, signal);
  const hang = (signal: AbortSignal) => {
    seen = signal;
    return new Promise<never>(() => undefined);
  };
  const settledWith = (call: Promise<unknown>) => call.catch((error: unknown) => error);

  it('aborts a call that takes too long and answers at that moment, though the call does not listen', async () => {
    const call = settledWith(pipeline.execute(attemptAt(hang)));
    await clock.advance(999);
    expect(seen.aborted).toBe(false);
    await clock.advance(1);
    expect(await call).toBeInstanceOf(AttemptTimeout);
    expect(await call).toMatchObject({ timeoutMs: 1_000, message: 'no answer in 1000 ms' });
    expect(seen.reason).toBe(await call);
    expect(observed).toEqual([[1_000, await call]]);
  });

  it('keeps to the shorter limit of the attempt', async () => {
    const attempt = attemptAt(hang);
    attempt.timeoutMs = 10;
    const call = settledWith(pipeline.execute(attempt));
    await clock.advance(10);
    expect(await call).toMatchObject({ timeoutMs: 10 });
  });

  it('leaves the signal of a successful call alone, whatever happens later', async () => {
    const caller = new AbortController();
    const work = (signal: AbortSignal) => Promise.resolve((seen = signal));
    await pipeline.execute(attemptAt(work, caller.signal));
    expect(clock.pending).toBe(0);
    caller.abort();
    await clock.advance(10_000);
    expect(seen.aborted).toBe(false);
    expect(observed).toEqual([[0, undefined]]);
  });

  it('aborts the call with the reason of a caller who leaves, and answers him at once', async () => {
    const caller = new AbortController();
    const call = settledWith(pipeline.execute(attemptAt(hang, caller.signal)));
    await clock.advance(300);
    const left = new Error('left');
    caller.abort(left);
    expect(await call).toBe(left);
    expect(seen.reason).toBe(left);
    expect(observed).toEqual([[300, left]]);
    expect(clock.pending).toBe(0);
  });

  it('makes no call for a caller who has left already', async () => {
    let called = false;
    const work = () => Promise.resolve((called = true));
    const call = pipeline.execute(attemptAt(work, AbortSignal.abort('left')));
    await expect(call).rejects.toBe('left');
    expect(called).toBe(false);
    expect(observed).toEqual([]);
  });

  it('takes a call that throws before it returns a promise for a failed one', async () => {
    const bug = new TypeError('a bug');
    const work = () => {
      throw bug;
    };
    await expect(pipeline.execute(attemptAt(work))).rejects.toBe(bug);
    expect(clock.pending).toBe(0);
  });

  it('says which call goes on after it was given up, and none when it ended', async () => {
    const given = attemptAt(hang);
    const call = settledWith(pipeline.execute(given));
    await clock.advance(1_000);
    await call;
    expect(given.abandoned).toBeInstanceOf(Promise);
    const ended = attemptAt(() => Promise.reject(new Error('no')));
    await settledWith(pipeline.execute(ended));
    expect(ended.abandoned).toBeUndefined();
  });

  describe('of a stream', () => {
    it('ends with the first item, and the caller can still abort', async () => {
      const caller = new AbortController();
      const work = (signal: AbortSignal) => Promise.resolve((seen = signal));
      await pipeline.execute(attemptAt(work, caller.signal, true));
      await clock.advance(60_000);
      expect(seen.aborted).toBe(false);
      caller.abort('left');
      expect(seen.reason).toBe('left');
      expect(observed).toHaveLength(1);
    });

    it.each([
      ['success', false],
      ['ignored', true],
      ['failure', true],
    ] as const)('after its end as %s: aborted %s', async (outcome, aborted) => {
      const caller = new AbortController();
      const attempt = attemptAt((signal) => Promise.resolve((seen = signal)), caller.signal, true);
      await pipeline.execute(attempt);
      attempt.end(outcome);
      expect(seen.aborted).toBe(aborted);
      caller.abort('later');
      expect(seen.reason === 'later').toBe(false);
    });
  });
});
