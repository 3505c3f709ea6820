import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/** Whether the condition came to hold within the time. */
export async function until(condition: () => Promise<boolean> | boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}
