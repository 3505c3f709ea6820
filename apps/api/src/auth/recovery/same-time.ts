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
    await delay(untilNextPoint(performance.now() - began, gridMs));
  }
}

/** From `tookMs` to the next multiple of `gridMs` that is not zero. */
export const untilNextPoint = (tookMs: number, gridMs: number): number =>
  Math.max(1, Math.ceil(tookMs / gridMs)) * gridMs - tookMs;
