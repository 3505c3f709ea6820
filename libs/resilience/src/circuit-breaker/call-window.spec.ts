import fc from 'fast-check';
import { ConsecutiveWindow, CountWindow, TimeWindow } from './call-window.js';

describe('TimeWindow', () => {
  it('forgets a bucket when it is twenty buckets old, without any call', () => {
    const window = new TimeWindow(10_000);
    window.record(250, true, true);
    window.record(500, false, false);
    expect(window.counts(9_999)).toEqual({ calls: 2, failures: 1, slow: 1 });
    expect(window.counts(10_000)).toEqual({ calls: 1, failures: 0, slow: 0 });
    expect(window.counts(10_500)).toEqual({ calls: 0, failures: 0, slow: 0 });
  });

  it('starts at any time, and forgets all after a long silence', () => {
    const window = new TimeWindow(10_000);
    window.record(86_400_000, true, false);
    expect(window.counts(86_400_000).calls).toBe(1);
    expect(window.counts(186_400_000).calls).toBe(0);
  });

  it('counts exactly the calls of the last twenty buckets, however they are spread', () => {
    const gaps = fc.array(fc.tuple(fc.nat(3_000), fc.boolean(), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, (calls) => {
        const window = new TimeWindow(10_000);
        const all: { at: number; failed: boolean; slow: boolean }[] = [];
        let now = 0;
        for (const [gap, failed, slow] of calls) {
          now += gap;
          window.record(now, failed, slow);
          all.push({ at: now, failed, slow });
          const kept = all.filter(({ at }) => Math.floor(at / 500) > Math.floor(now / 500) - 20);
          expect(window.counts(now)).toEqual({
            calls: kept.length,
            failures: kept.filter((call) => call.failed).length,
            slow: kept.filter((call) => call.slow).length,
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('hands its counts to a longer window, as old as they are', () => {
    const short = new TimeWindow(10_000);
    short.record(0, true, false);
    short.record(9_000, false, true);
    const long = new TimeWindow(20_000);
    long.adopt(short, 9_500);
    expect(long.counts(9_500)).toEqual({ calls: 2, failures: 1, slow: 1 });
    expect(long.counts(20_000)).toEqual({ calls: 1, failures: 0, slow: 1 });
    expect(long.counts(29_000).calls).toBe(0);
  });

  it('hands a shorter window only what is young enough', () => {
    const long = new TimeWindow(20_000);
    long.record(0, true, false);
    long.record(19_000, true, false);
    const short = new TimeWindow(10_000);
    short.adopt(long, 19_000);
    expect(short.counts(19_000).calls).toBe(1);
  });

  it('can be cleared', () => {
    const window = new TimeWindow(10_000);
    window.record(1, true, true);
    window.clear();
    expect(window.counts(1)).toEqual({ calls: 0, failures: 0, slow: 0 });
  });
});

describe('CountWindow', () => {
  it('forgets the oldest call when it is full', () => {
    const window = new CountWindow(3);
    window.record(0, true, true);
    window.record(0, true, false);
    window.record(0, false, true);
    expect(window.counts()).toEqual({ calls: 3, failures: 2, slow: 2 });
    window.record(0, false, false);
    expect(window.counts()).toEqual({ calls: 3, failures: 1, slow: 1 });
    window.record(0, false, false);
    window.record(0, true, false);
    expect(window.counts()).toEqual({ calls: 3, failures: 1, slow: 0 });
  });

  it('hands the last calls to a window of another size, in order', () => {
    const old = new CountWindow(3);
    for (const failed of [true, true, false, true]) old.record(0, failed, !failed);
    const smaller = new CountWindow(2);
    smaller.adopt(old, 0);
    expect(smaller.counts()).toEqual({ calls: 2, failures: 1, slow: 1 });
    smaller.record(0, false, false);
    expect(smaller.counts()).toEqual({ calls: 2, failures: 1, slow: 0 });
    const larger = new CountWindow(5);
    larger.adopt(old, 0);
    expect(larger.counts()).toEqual({ calls: 3, failures: 2, slow: 1 });
  });

  it('can be cleared', () => {
    const window = new CountWindow(2);
    window.record(0, true, true);
    window.clear();
    expect(window.counts()).toEqual({ calls: 0, failures: 0, slow: 0 });
    window.record(0, false, false);
    window.record(0, false, false);
    window.record(0, false, false);
    expect(window.counts()).toEqual({ calls: 2, failures: 0, slow: 0 });
  });
});

describe('ConsecutiveWindow', () => {
  it('counts each in its own row', () => {
    const window = new ConsecutiveWindow();
    window.record(0, true, true);
    window.record(0, false, true);
    expect(window.counts()).toEqual({ calls: 2, failures: 0, slow: 2 });
    window.record(0, true, false);
    expect(window.counts()).toEqual({ calls: 1, failures: 1, slow: 0 });
    window.clear();
    expect(window.counts()).toEqual({ calls: 0, failures: 0, slow: 0 });
  });
});
