import { hearingDetail, sumOfHearing } from './hearing.js';

describe('what hearing a recording took', () => {
  const part = { audioMs: 15_000, wallMs: 3_000, cpuMs: 2_400, cost: 0.0015 };

  it('is the sum over its parts, of which some may be of text', () => {
    expect(sumOfHearing([undefined, part, part])).toEqual({
      audioMs: 30_000,
      wallMs: 6_000,
      cpuMs: 4_800,
      cost: 0.003,
    });
    expect(sumOfHearing([undefined])).toBeUndefined();
    expect(sumOfHearing([])).toBeUndefined();
  });

  it('is told for a minute of what was heard, silences apart', () => {
    expect(hearingDetail(90_000, part)).toEqual({
      minutes_recorded: 1.5,
      minutes_heard: 0.25,
      wall_seconds_per_minute: 12,
      cpu_seconds_per_minute: 9.6,
      cost: 0.0015,
      cost_per_minute: 0.006,
    });
  });
});
