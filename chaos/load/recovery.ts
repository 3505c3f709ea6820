import { setTimeout as delay } from 'node:timers/promises';
import type { Recovery } from '../evidence.js';
import type { World } from '../harness/world.js';
import { seeded } from '../harness/random.js';
import type { Client } from './client.js';
import { newQuestion, writeConversation } from './operations.js';

const PROBE_EVERY_MS = 250;
const PAGE_EVERY_MS = 250;
const IN_A_ROW = 3;
const PROBE_DEADLINE_MS = 5_000;

/**
 * From now, the end of the fault: how long until questions and writes are full again, and until the program says so.
 * Both are watched for `limitMs` at most.
 */
export async function measureRecovery(world: World, client: Client, limitMs: number): Promise<Recovery> {
  const healedAt = performance.now();
  const limit = AbortSignal.timeout(limitMs);
  const [requestsMs, reportedMs] = await Promise.all([
    untilFullAnswers(world, client, limit).then((at) => at && at - healedAt),
    untilFullPage(world, limit).then((at) => at && at - healedAt),
  ]);
  return { requestsMs, reportedMs };
}

/** Probes at a fixed rate, because one that hangs must not hold up the measurement. */
async function untilFullAnswers(
  world: World,
  client: Client,
  limit: AbortSignal,
): Promise<number | undefined> {
  const fullAt: (number | undefined)[] = [];
  const open: Promise<void>[] = [];
  const random = seeded(99);
  let found: number | undefined;
  for (let n = 0; found === undefined && !limit.aborted; n++) {
    open.push(
      probe(world, client, n, random).then((at) => {
        fullAt[n] = at;
      }),
    );
    await delay(PROBE_EVERY_MS, undefined, { signal: limit }).catch(() => undefined);
    const first = fullAt.findIndex((_, i) =>
      Array.from({ length: IN_A_ROW }, (_, k) => fullAt[i + k]).every((at) => at !== undefined),
    );
    if (first >= 0) found = fullAt[first];
  }
  await Promise.all(open);
  return found;
}

/** A question and a write; the time at which both were done, if they were, and in full. */
async function probe(
  { tenants }: World,
  client: Client,
  n: number,
  random: () => number,
): Promise<number | undefined> {
  const tenant = tenants[n % tenants.length]!;
  const [asked, written] = await Promise.all([
    client.send({ ...newQuestion(tenant, random), kind: 'probe', deadlineMs: PROBE_DEADLINE_MS }),
    client.send({ ...writeConversation(tenant), kind: 'probe-write', deadlineMs: PROBE_DEADLINE_MS }),
  ]);
  const { outcome, level } = asked.operation;
  const isFull = outcome === 'ok' && level === 'full' && written.operation.outcome === 'ok';
  return isFull ? performance.now() : undefined;
}

async function untilFullPage({ replicas, operator }: World, limit: AbortSignal): Promise<number | undefined> {
  while (!limit.aborted) {
    const pages = await Promise.all(replicas.map((replica) => operator.levels(replica)));
    const at = performance.now();
    const levels = pages.flatMap((page) => (page ? levelsOn(page) : ['unavailable']));
    if (levels.length > 0 && levels.every((level) => level === 'full')) return at;
    await delay(PAGE_EVERY_MS, undefined, { signal: limit }).catch(() => undefined);
  }
  return undefined;
}

export const levelsOn = (page: { capabilities?: Record<string, { level: string }> }): string[] =>
  Object.values(page.capabilities ?? {}).map(({ level }) => level);
