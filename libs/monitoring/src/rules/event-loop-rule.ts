import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Clock, systemClock } from '#libs/resilience';
import type { AlertRule } from '../alert.js';

type Delays = ReturnType<typeof monitorEventLoopDelay>;

/** Longer than any piece of work may keep all the others waiting. */
const STALL_MS = 1_000;
const SHOWN_MS = 10_000;

/** Something kept the process from doing anything else. */
export function eventLoopStalled(
  clock: Clock = systemClock,
  delays: Pick<Delays, 'max' | 'reset'> = watchedLoop(),
): AlertRule {
  let shownUntil = -Infinity;
  return {
    name: 'event-loop-stalled',
    severity: 'error',
    cleared: 'the event loop turns freely',
    forMs: 0,
    observe() {
      if (delays.max / 1e6 > STALL_MS) shownUntil = clock.now() + SHOWN_MS;
      delays.reset();
      if (clock.now() >= shownUntil) return [];
      return [{ subject: 'event-loop', summary: `The event loop stood still for more than ${STALL_MS} ms` }];
    },
  };
}

function watchedLoop(): Delays {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  return histogram;
}
