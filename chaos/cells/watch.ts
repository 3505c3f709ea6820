import { setTimeout as delay } from 'node:timers/promises';
import { type Expectation, expectThat, type Play } from '../cell.js';

const EVERY_MS = 100;

interface PolicyPage {
  state: string;
  last_transitions: { at: string; type: string }[];
}

/** Waits until the fault has lasted its time, and looks at the policy meanwhile. */
export async function watchPolicy(play: Play, policy: string): Promise<void> {
  const { world, cell, notes } = play;
  const startedAt = performance.now();
  const startedDate = Date.now();
  notes['openSamples'] = 0;
  while (performance.now() - startedAt < cell.seconds * 1_000) {
    const page = await world.operator.get<PolicyPage>(world.replica, `/v1/admin/resilience/${policy}`);
    if (page && page.state !== 'closed') {
      notes['openSamples']++;
      if (notes['openedAfterMs'] === undefined) await noteOpening(play, page, startedDate);
    }
    await delay(EVERY_MS);
  }
}

/** The policy knows to the millisecond when it opened, and the model when it was called. */
async function noteOpening({ world, notes }: Play, page: PolicyPage, startedDate: number): Promise<void> {
  const openings = page.last_transitions
    .filter(({ type }) => type === 'opened')
    .map(({ at }) => new Date(at).getTime())
    .filter((at) => at >= startedDate);
  const openedDate = Math.min(...openings);
  const { times } = await world.primary.stats();
  notes['openedAfterMs'] = openedDate - startedDate;
  notes['callsUntilOpen'] = times.chat.filter((at) => at >= startedDate && at <= openedDate).length;
}

/** Tells whether `during` saw the policy leave `closed`, and after how many calls. */
export function openedWithin(calls: number, ms: number, { notes }: Play): Expectation {
  const { openedAfterMs, callsUntilOpen } = notes;
  if (openedAfterMs === undefined) return expectThat(false, 'the circuit never opened');
  return expectThat(
    callsUntilOpen! <= calls || openedAfterMs <= ms,
    `opened after ${callsUntilOpen} calls, ${(openedAfterMs / 1_000).toFixed(1)} s (bound ${calls} calls or ${ms / 1_000} s)`,
  );
}

export function stayedClosed({ notes }: Play): Expectation {
  const { openSamples } = notes;
  return expectThat(openSamples === 0, `the circuit was not closed in ${openSamples} samples (bound 0)`);
}
