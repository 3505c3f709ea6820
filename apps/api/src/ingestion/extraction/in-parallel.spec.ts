import { setImmediate as turn } from 'node:timers/promises';
import { inParallel } from './in-parallel.js';

const never = new AbortController().signal;

describe('work on many items', () => {
  it('is done for each, at most so many at a time, begun in order', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (item: number) => {
      begun.push(item);
      most = Math.max(most, (running += 1));
      await turn();
      running -= 1;
    };
    await inParallel([...Array(20).keys()], 3, work, never);
    expect({ begun, most }).toEqual({ begun: [...Array(20).keys()], most: 3 });
  });

  it('takes items that are made while others are worked on', async () => {
    const done: number[] = [];
    async function* items() {
      for (let i = 0; i < 5; i += 1) yield await Promise.resolve(i);
    }
    await inParallel(items(), 2, async (item) => void done.push(item), never);
    expect(done.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('ends with the first failure, once what was under way has ended', async () => {
    const told: string[] = [];
    const work = async (item: number, signal: AbortSignal) => {
      if (item === 1) throw new Error('it broke');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      told.push(`${item} was told: ${(signal.reason as Error).message}`);
    };
    await expect(inParallel([0, 1, 2, 3], 2, work, never)).rejects.toThrow('it broke');
    expect(told).toEqual(['0 was told: it broke']);
  });

  it('ends with the reason when it is aborted, and begins nothing more', async () => {
    const leaving = new AbortController();
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      leaving.abort(new Error('cancelled'));
    };
    await expect(inParallel([0, 1, 2], 1, work, leaving.signal)).rejects.toThrow('cancelled');
    expect(begun).toEqual([0]);
  });
});
