import { setTimeout as delay } from 'node:timers/promises';
import type { Play } from '../cell.js';

const EVERY_MS = 100;

/** Waits until the fault has lasted its time, and looks at the policy meanwhile. */
export async function watchPolicy(play: Play, policy: string): Promise<void> {
  const { world, cell, notes } = play;
  const startedAt = performance.now();
  notes['openSamples'] = 0;
  while (performance.now() - startedAt < cell.seconds * 1_000) {
    const page = await world.operator.metrics(world.replica);
    if (page && page.sum('navigator_policy_state', { policy, state: 'closed' }) < 1) {
      notes['openSamples']++;
      if (notes['openedAfterMs'] === undefined) {
        notes['openedAfterMs'] = performance.now() - startedAt;
        notes['callsUntilOpen'] = (await world.primary.stats()).calls.chat;
      }
    }
    await delay(EVERY_MS);
  }
}

/** Tells whether `during` saw the policy leave `closed`, and after how many calls. */
export function openedWithin(calls: number, ms: number, { notes }: Play): { kept: boolean; text: string } {
  const { openedAfterMs, callsUntilOpen } = notes;
  if (openedAfterMs === undefined) return { kept: false, text: 'the circuit never opened' };
  return {
    kept: callsUntilOpen! <= calls || openedAfterMs <= ms,
    text: `opened after ${callsUntilOpen} calls, ${(openedAfterMs / 1_000).toFixed(1)} s (bound ${calls} calls or ${ms / 1_000} s)`,
  };
}
