import { DeadlineExceeded } from '#libs/errors';
import { VirtualClock } from '../../../test/support/virtual-clock.js';
import { childSignal, deadlineOf, deadlineSignal, joinSignals, remainingMs } from './deadline.js';

const clock = new VirtualClock();
const within = (ms: number, parent?: AbortSignal) => deadlineSignal(ms, { parent, clock });

describe('a deadline', () => {
  it('aborts its signal when the time is up, and not before', async () => {
    const { signal } = within(100);
    await clock.advance(99);
    expect(signal.aborted).toBe(false);
    expect(remainingMs(signal, clock)).toBe(1);
    await clock.advance(1);
    expect(signal.reason).toBeInstanceOf(DeadlineExceeded);
    expect(remainingMs(signal, clock)).toBe(0);
  });

  it('is over at once when there is no time', () => {
    expect(within(0).signal.reason).toBeInstanceOf(DeadlineExceeded);
    expect(within(-5).signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('aborts when its parent does, for the parent’s reason', () => {
    const client = new AbortController();
    const { signal, clear } = within(100, client.signal);
    const left = new Error('left');
    client.abort(left);
    expect(signal.reason).toBe(left);
    expect(within(100, client.signal).signal.reason).toBe(left);
    clear();
  });

  it('can only become earlier', async () => {
    const request = within(100);
    const longer = within(1_000, request.signal);
    const shorter = within(50, request.signal);
    expect(remainingMs(longer.signal, clock)).toBe(100);
    expect(remainingMs(shorter.signal, clock)).toBe(50);
    await clock.advance(100);
    expect(longer.signal.reason).toBe(request.signal.reason);
  });

  it('leaves no timer and no listener behind when the request is over', async () => {
    const client = new AbortController();
    const { signal, clear } = within(100, client.signal);
    clear();
    expect(clock.pending).toBe(0);
    client.abort();
    await clock.advance(200);
    expect(signal.aborted).toBe(false);
  });

  it('bears any number of milliseconds', () => {
    expect(remainingMs(within(Infinity).signal, clock)).toBe(Infinity);
    const { signal, clear } = deadlineSignal(1e12);
    expect(signal.aborted).toBe(false);
    clear();
  });

  it('is unknown of other signals', () => {
    expect(deadlineOf(undefined)).toBeUndefined();
    expect(deadlineOf(new AbortController().signal)).toBeUndefined();
    expect(remainingMs(undefined)).toBe(Infinity);
  });
});

describe('joined signals', () => {
  it('abort with the first and keep the earliest deadline', () => {
    const early = within(50);
    const late = within(100);
    const client = new AbortController();
    const joined = joinSignals(late.signal, undefined, client.signal, early.signal);
    expect(remainingMs(joined, clock)).toBe(50);
    client.abort(new Error('left'));
    expect(joined.reason).toBe(client.signal.reason);
    early.clear();
    late.clear();
  });

  it('are the signal itself when there is only one', () => {
    const { signal } = new AbortController();
    expect(joinSignals(undefined, signal, signal)).toBe(signal);
    expect(joinSignals().aborted).toBe(false);
  });
});

describe('a child signal', () => {
  it('follows its parent until it is cleared, can be aborted alone, and has the same deadline', () => {
    const { signal: parent, clear } = within(100);
    const [one, two] = [childSignal(parent), childSignal(parent)];
    expect(deadlineOf(one.signal)).toBe(deadlineOf(parent));
    one.abort(new Error('enough'));
    expect([one.signal.aborted, two.signal.aborted, parent.aborted]).toEqual([true, false, false]);
    clear();

    const client = new AbortController();
    const [kept, cleared] = [childSignal(client.signal), childSignal(client.signal)];
    cleared.clear();
    client.abort(new Error('left'));
    expect(kept.signal.reason).toBe(client.signal.reason);
    expect(cleared.signal.aborted).toBe(false);
  });
});
