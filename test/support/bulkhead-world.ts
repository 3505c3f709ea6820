import { Bulkhead, type BulkheadCall, type BulkheadOptions, type Release } from '#libs/resilience';
import { settled, VirtualClock } from './virtual-clock.js';

export const OPTIONS: BulkheadOptions = {
  concurrency: 2,
  queue: 100,
  maxWaitMs: 250,
  tenantShare: 1,
  reserved: 0,
};

/** A bulkhead, and calls that hold their permit until the test gives it back. */
export function world(changes: Partial<BulkheadOptions> = {}) {
  const clock = new VirtualClock();
  const bulkhead = new Bulkhead({ ...OPTIONS, ...changes }, { name: 'embedder', clock });
  /** Names of the calls that got a permit, in that order. */
  const granted: string[] = [];
  const permits = new Map<string, Release>();
  const call = (
    name: string,
    { tenantId = name, priority = 'critical', signal }: Partial<BulkheadCall> = {},
  ) => {
    const call = bulkhead.acquire({ tenantId, priority, signal }).then((release) => {
      granted.push(name);
      permits.set(name, release);
    });
    call.catch(() => undefined);
    return call;
  };
  const end = async (name: string) => {
    permits.get(name)!();
    await settled();
  };
  return { clock, bulkhead, granted, call, end };
}
