import { Patience } from './patience.js';

describe('Patience', () => {
  const after = (times: number, ms: number, patience = new Patience()) => {
    for (let i = 0; i < times; i++) patience.held(ms);
    return patience;
  };

  it('is a quarter of a second while connections come back soon', () => {
    expect(new Patience().waitMs).toBe(250);
    expect(after(100, 20).waitMs).toBe(250);
  });

  it('grows to twice the time that connections are held', () => {
    expect(after(100, 500).waitMs).toBe(1_000);
  });

  it('does not grow beyond what an answer is worth waiting for', () => {
    expect(after(100, 30_000).waitMs).toBe(1_500);
  });

  it('learns from some, not from one', () => {
    expect(after(1, 1_000).waitMs).toBe(250);
    expect(after(10, 500).waitMs).toBeGreaterThan(600);
  });

  it('is short again when the database is quick again', () => {
    expect(after(30, 5, after(100, 500)).waitMs).toBe(250);
  });
});
