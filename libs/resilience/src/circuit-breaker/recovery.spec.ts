import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { parseOptions } from '../options.js';
import { CircuitBreaker, REFUSED } from './circuit-breaker.js';
import { RecoveryProbe } from './recovery-probe.js';
import { SlowStart } from './slow-start.js';

describe('RecoveryProbe', () => {
  let clock: VirtualClock;
  let breaker: CircuitBreaker;
  let probe: RecoveryProbe;
  let asked: AbortSignal[];
  let answer: (signal: AbortSignal) => Promise<unknown>;
  let changes: boolean[];
  let random: number;

  beforeEach(() => {
    clock = new VirtualClock();
    [asked, changes, random] = [[], [], 0.5];
    const { breaker: options } = parseOptions('test', { attemptTimeoutMs: 1_000, breaker: {} });
    breaker = new CircuitBreaker(options, { clock, random: () => 0.5 });
    const ask = (signal: AbortSignal) => {
      asked.push(signal);
      return answer(signal);
    };
    probe = new RecoveryProbe(breaker, ask, {
      clock,
      random: () => random,
      onChange: (answers) => changes.push(answers),
    });
    answer = () => Promise.reject(new Error('down'));
    breaker.record(breaker.acquire(), 'fatal', 1);
    probe.start();
  });

  it('asks once a second while the circuit is open', async () => {
    await clock.advance(999);
    expect(asked).toHaveLength(0);
    await clock.advance(1);
    expect(asked).toHaveLength(1);
    await clock.advance(3_000);
    expect(asked).toHaveLength(4);
  });

  it.each([
    [0, 800],
    [0.999999, 1_200],
  ])('spreads its questions by a fifth (chance %d)', async (chance, ms) => {
    random = chance;
    probe.start();
    await clock.advance(ms - 1);
    expect(asked).toHaveLength(0);
    await clock.advance(1);
    expect(asked).toHaveLength(1);
  });

  it('permits a call early when the dependency was silent and answers again', async () => {
    await clock.advance(1_000);
    expect(breaker.acquire()).toBe(REFUSED);
    answer = () => Promise.resolve();
    await clock.advance(1_000);
    expect(breaker.acquire()).not.toBe(REFUSED);
    expect(changes).toEqual([false, true]);
  });

  it('permits nothing early when the dependency has answered all the time', async () => {
    answer = () => Promise.resolve();
    await clock.advance(4_999);
    expect(asked).toHaveLength(4);
    expect(breaker.acquire()).toBe(REFUSED);
    expect(changes).toEqual([true]);
  });

  it('forgets a silence of an earlier opening', async () => {
    await clock.advance(1_000);
    probe.start();
    answer = () => Promise.resolve();
    await clock.advance(1_000);
    expect(breaker.acquire()).toBe(REFUSED);
  });

  it('aborts a question without an answer after two seconds and takes it for silence', async () => {
    answer = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    await clock.advance(2_999);
    expect(asked[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(asked[0]!.aborted).toBe(true);
    expect(changes).toEqual([false]);
    await clock.advance(1_000);
    expect(asked).toHaveLength(2);
  });

  it('does not follow a question that hangs with others', async () => {
    const hung = Promise.withResolvers<void>();
    answer = () => hung.promise;
    await clock.advance(3_000);
    expect(changes).toEqual([false]);
    await clock.advance(57_000);
    expect(asked).toHaveLength(1);
    hung.resolve();
    answer = () => Promise.resolve();
    await clock.advance(1_000);
    expect(asked).toHaveLength(2);
  });

  it('asks no more when it is stopped before a question that hung has ended', async () => {
    const hung = Promise.withResolvers<void>();
    answer = () => hung.promise;
    await clock.advance(3_000);
    probe.stop();
    hung.resolve();
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });

  it('leaves the signal of a question alone that was answered', async () => {
    answer = () => Promise.resolve();
    await clock.advance(3_500);
    expect(asked.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });

  it('takes a question that throws for silence', async () => {
    answer = () => {
      throw new Error('no address');
    };
    await clock.advance(1_000);
    expect(changes).toEqual([false]);
  });

  it('asks no more when it is stopped, also in the middle of a question', async () => {
    answer = () => new Promise(() => undefined);
    await clock.advance(1_000);
    probe.stop();
    expect(asked[0]!.aborted).toBe(true);
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
    expect(changes).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('SlowStart', () => {
  let clock: VirtualClock;
  let shares: number[];
  let slowStart: SlowStart;
  beforeEach(() => {
    clock = new VirtualClock();
    shares = [];
    slowStart = new SlowStart(
      { setLimitShare: (share) => shares.push(Math.round(share * 100) / 100) },
      clock,
    );
  });

  it('lets the load come back from a tenth to all of it', async () => {
    slowStart.start(10_000);
    expect(shares.at(-1)).toBe(0.1);
    await clock.advance(5_000);
    expect(shares.at(-1)).toBe(0.55);
    await clock.advance(4_999);
    expect(shares.at(-1)).toBe(0.91);
    await clock.advance(1);
    expect(shares.at(-1)).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('lets all of it come back when it is stopped', async () => {
    slowStart.start(10_000);
    await clock.advance(2_000);
    slowStart.stop();
    expect(shares.at(-1)).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('does nothing when it is to take no time', () => {
    slowStart.start(0);
    expect(shares).toEqual([1]);
    expect(clock.pending).toBe(0);
  });
});
