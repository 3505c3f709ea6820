import { setTimeout as delay } from 'node:timers/promises';

/**
 * Takes as long whatever the work does, so that the time tells nothing about it: until the next multiple of `gridMs`
 * since it began. Work that fails takes as long too.
 */
export async function inSameTime<T>(gridMs: number, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await work();
  } finally {
    const took = performance.now() - began;
    await delay(Math.ceil(took / gridMs) * gridMs - took);
  }
}
