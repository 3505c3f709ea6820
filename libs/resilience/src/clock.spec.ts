import { systemClock } from './clock.js';

describe('the system clock', () => {
  it('grows', async () => {
    const before = systemClock.now();
    await new Promise<void>((resolve) => systemClock.after(2, resolve));
    expect(systemClock.now()).toBeGreaterThan(before);
  });

  it('calls back once, and not when that was called off', async () => {
    const called: string[] = [];
    systemClock.after(1, () => called.push('kept'));
    const callOff = systemClock.after(1, () => called.push('called off'));
    callOff();
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    expect(called).toEqual(['kept']);
  });
});
