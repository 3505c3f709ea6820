import { timeLabel, toTimeBody } from './time.js';

describe('timeLabel', () => {
  it('says from which second to which, so that all of what is said lies between', () => {
    expect(timeLabel({ startMs: 845_900, endMs: 870_100 })).toBe('00:14:05–00:14:31');
    expect(timeLabel({ startMs: 0, endMs: 7_200_000 })).toBe('00:00:00–02:00:00');
    expect(timeLabel({ startMs: 360_000_000, endMs: 360_000_000 })).toBe('100:00:00');
  });

  it('says nothing of what is written, nor of what was kept before there were times', () => {
    expect(timeLabel({ startMs: null, endMs: null })).toBeNull();
    expect(toTimeBody({})).toEqual({ start_ms: null, end_ms: null, time_label: null });
  });
});
