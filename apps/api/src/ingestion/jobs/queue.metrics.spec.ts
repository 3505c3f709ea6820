import { observeQueue, queueAgeSeconds, queueWaiting } from './queue.metrics.js';

describe('the gauges of the queue', () => {
  let now: number;
  let looks: number;
  beforeEach(() => {
    now = 0;
    looks = 0;
  });

  const shown = async () => {
    const [waiting, age] = await Promise.all([queueWaiting.get(), queueAgeSeconds.get()]);
    return [waiting.values[0]!.value, age.values[0]!.value];
  };
  const queue = () => {
    looks += 1;
    return Promise.resolve({ waiting: looks, oldestSeconds: 7.5 });
  };

  it('read the queue when they are scraped, once for all of them and at most every two seconds', async () => {
    observeQueue(queue, { now: () => now });
    expect(looks).toBe(0);
    expect(await shown()).toEqual([1, 7.5]);
    now = 1_999;
    expect(await shown()).toEqual([1, 7.5]);
    now = 2_000;
    expect(await shown()).toEqual([2, 7.5]);
  });

  it('show no number while the database fails, and the right one again after', async () => {
    let failing = true;
    observeQueue(() => (failing ? Promise.reject(new Error('no database')) : queue()), { now: () => now });
    expect(await shown()).toEqual([NaN, NaN]);
    failing = false;
    now = 2_000;
    expect(await shown()).toEqual([1, 7.5]);
  });

  it('do not wait for a database that does not answer', async () => {
    observeQueue(() => new Promise<never>(() => undefined), { limitMs: 1 });
    expect(await shown()).toEqual([NaN, NaN]);
  });

  it('show the queue of the application that was started last', async () => {
    observeQueue(() => Promise.resolve({ waiting: 41, oldestSeconds: 1 }));
    observeQueue(() => Promise.resolve({ waiting: 42, oldestSeconds: 2 }));
    expect(await shown()).toEqual([42, 2]);
  });
});
