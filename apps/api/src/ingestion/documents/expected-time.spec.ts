import { STAGE_NAMES, type StageName } from '../workflow/ingestion-stages.js';
import { pendingStage, type StageState } from './document.js';
import { type Pace, remainingSeconds } from './expected-time.js';

const START = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000);

const done = (from: number, to: number): Partial<StageState> => ({
  status: 'done',
  progress: 1,
  startedAt: at(from),
  finishedAt: at(to),
});
const running = (
  from: number,
  progress = 0,
  progressed?: number,
  startedProgress = 0,
): Partial<StageState> => ({
  status: 'running',
  progress,
  startedAt: at(from),
  startedProgress,
  progressedAt: progressed === undefined ? null : at(progressed),
});
const stages = (given: Partial<Record<StageName, Partial<StageState>>> = {}): StageState[] =>
  STAGE_NAMES.map((name) => ({ ...pendingStage(name), ...given[name] }));

/** Seconds for a kilobyte. */
const pace = (seconds: Partial<Record<StageName, number>>): Pace => ({
  secondsPerByte: new Map(Object.entries(seconds).map(([name, value]) => [name, value / 1_000])),
});
const USUAL = pace({ receive: 1, extract: 10, structure: 4, embed: 30, assess: 2, publish: 1 });

describe('the time that a document still takes', () => {
  it('is unknown when nothing tells it', () => {
    expect(remainingSeconds(stages(), 1_000, undefined, START)).toBeUndefined();
    expect(remainingSeconds(stages({ receive: done(0, 1) }), 1_000, undefined, at(1))).toBeUndefined();
  });

  it('follows from the size and what the last documents took, along the longest way', () => {
    expect(remainingSeconds(stages(), 1_000, USUAL, START)).toBeCloseTo(1 + 10 + 4 + 30 + 1);
    expect(remainingSeconds(stages(), 2_000, USUAL, START)).toBeCloseTo(2 * 46);
  });

  it('shrinks with every stage that is done, and is nothing at the end', () => {
    const soFar = stages({ receive: done(0, 1), extract: done(1, 9), structure: done(9, 12) });
    expect(remainingSeconds(soFar, 1_000, USUAL, at(12))).toBeCloseTo(31);
    const all = stages(Object.fromEntries(STAGE_NAMES.map((name) => [name, done(0, 1)])));
    expect(remainingSeconds(all, 1_000, USUAL, at(99))).toBe(0);
  });

  it('names the same moment while a stage goes on as usual', () => {
    const soFar = (now: number) =>
      now + remainingSeconds(stages({ receive: done(0, 1), extract: running(1) }), 1_000, USUAL, at(now))!;
    expect(soFar(4)).toBeCloseTo(soFar(1));
    expect(soFar(9)).toBeCloseTo(soFar(1));
  });

  it('goes on for a while longer when a stage takes longer than usual, and never back to nothing', () => {
    const late = stages({ receive: done(0, 1), extract: running(1) });
    expect(remainingSeconds(late, 1_000, USUAL, at(500))).toBeCloseTo(0.1 * 10 + 35);
  });

  it('goes by the own pace of a stage, the more the further it is', () => {
    const before = { receive: done(0, 1), extract: done(1, 5), structure: done(5, 6), assess: done(6, 7) };
    // A tenth in 10 s is 100 s for all of it; usual are 30 s.
    const early = stages({ ...before, embed: running(6, 0.1, 16) });
    expect(remainingSeconds(early, 1_000, USUAL, at(16))).toBeCloseTo(0.9 * (0.1 * 100 + 0.9 * 30) + 1);
    const late = stages({ ...before, embed: running(6, 0.9, 96) });
    expect(remainingSeconds(late, 1_000, USUAL, at(96))).toBeCloseTo(0.1 * (0.9 * 100 + 0.1 * 30) + 1);
  });

  it('does not take for its own pace what was done before it was begun again', () => {
    const before = { receive: done(0, 1), extract: done(1, 5), structure: done(5, 6), assess: done(6, 7) };
    const again = stages({ ...before, embed: running(100, 0.8, 110, 0.7) });
    expect(remainingSeconds(again, 1_000, undefined, at(110))).toBeGreaterThan(15);
  });

  it('is reckoned from the shares of the stages when there were no documents before', () => {
    const own = stages({ receive: done(0, 1), extract: done(1, 11), structure: done(11, 14) });
    // 14 s are 30 hundredths of the whole.
    expect(remainingSeconds(own, 1_000, undefined, at(14))).toBeCloseTo((14 / 0.3) * 0.66);
  });

  it('never grows as a steady stage gets on', () => {
    const before = { receive: done(0, 1), extract: done(1, 5), structure: done(5, 6), assess: done(6, 7) };
    let last = Infinity;
    for (let second = 6; second < 36; second += 1) {
      const progress = (second - 6) / 30;
      const embed = running(6, progress, second);
      const ends = second + remainingSeconds(stages({ ...before, embed }), 1_000, USUAL, at(second))!;
      expect(ends).toBeLessThanOrEqual(last + 1e-6);
      last = ends;
    }
  });
});
