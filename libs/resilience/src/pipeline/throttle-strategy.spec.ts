import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { DependencyUnavailable, Overloaded } from '#libs/errors';
import { parseOptions } from '../options.js';
import type { Outcome } from '../policy-types.js';
import { Attempt } from './attempt.js';
import { ThrottleStrategy } from './throttle-strategy.js';

describe('ThrottleStrategy', () => {
  let clock: VirtualClock;
  let random: number;
  let closed: boolean;
  let reached: number;
  let throttle: ThrottleStrategy;
  const { throttle: options } = parseOptions('test', { attemptTimeoutMs: 1, throttle: {} });

  beforeEach(() => {
    clock = new VirtualClock();
    [random, closed, reached] = [0, true, 0];
    throttle = new ThrottleStrategy('model', options!, {
      clock,
      random: () => random,
      outcomeOf: (error) => (error as { outcome?: Outcome }).outcome ?? 'overload',
      isCircuitClosed: () => closed,
      onReject: () => undefined,
    });
  });
  const attempt = new Attempt({
    work: () => Promise.resolve(),
    idempotent: false,
    priority: 'critical',
    isStream: false,
  });
  const make = (end: () => Promise<unknown>) =>
    throttle
      .execute(attempt, () => (reached++, end()))
      .then(
        () => 'accepted',
        (error: unknown) => (error instanceof DependencyUnavailable ? error.reason : 'failed'),
      );
  const accept = () => Promise.resolve();
  const refuse = () => Promise.reject(new Overloaded('429'));
  const times = async (count: number, end: () => Promise<unknown>) => {
    for (let i = 0; i < count; i++) await make(end);
  };

  it('lets everything through while at least half of it is accepted', async () => {
    for (let i = 0; i < 50; i++) {
      expect(await make(accept)).toBe('accepted');
      expect(await make(refuse)).toBe('failed');
    }
  });

  it('does not judge by a handful of calls', async () => {
    await times(9, refuse);
    expect(reached).toBe(9);
  });

  it('rejects with the probability that the dependency does, as far as that is above a half', async () => {
    random = 1;
    await times(20, accept);
    await times(80, refuse);
    const probability = (100 - 2 * 20) / 101;
    random = probability - 0.001;
    expect(await make(accept)).toBe('throttled');
    random = probability + 0.01;
    expect(await make(accept)).toBe('accepted');
  });

  it('never rejects more than four in five, so that a recovery is noticed', async () => {
    random = 1;
    await times(1_000, refuse);
    random = 0.79;
    expect(await make(accept)).toBe('throttled');
    random = 0.81;
    expect(await make(accept)).toBe('accepted');
  });

  it('forgets after thirty seconds, and at once when the dependency came back', async () => {
    await times(100, refuse);
    expect(await make(accept)).toBe('throttled');
    await clock.advance(31_500);
    expect(await make(accept)).toBe('accepted');
    await times(100, refuse);
    throttle.reset();
    expect(await make(accept)).toBe('accepted');
  });

  it('forgets what was refused once five calls in a row were accepted', async () => {
    random = 0.99;
    await times(100, refuse);
    await times(4, accept);
    random = 0;
    expect(await make(accept)).toBe('throttled');
    random = 0.99;
    await make(accept);
    random = 0;
    expect(await make(accept)).toBe('accepted');
  });

  it('leaves calls to a circuit that is not closed', async () => {
    random = 1;
    await times(100, refuse);
    [random, closed] = [0, false];
    expect(await make(accept)).toBe('accepted');
  });

  it('learns nothing from what never reached the dependency, and takes slowness for acceptance', async () => {
    const withOutcome = (outcome: Outcome) => () => Promise.reject(Object.assign(new Error(), { outcome }));
    await times(100, withOutcome('ignored'));
    await times(100, withOutcome('slow'));
    expect(await make(accept)).toBe('accepted');
    expect(reached).toBe(201);
  });

  it('keeps what it has counted when its options change', async () => {
    random = 1;
    await times(100, refuse);
    throttle.update({ ...options!, maxReject: 0.5, windowMs: 60_000 });
    random = 0.51;
    expect(await make(accept)).toBe('accepted');
    random = 0.49;
    expect(await make(accept)).toBe('throttled');
  });
});
