import { setTimeout as delay } from 'node:timers/promises';
import type { Recovery } from '../evidence.js';
import type { LevelPage } from '../harness/operator.js';
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
  const [fullAt, page] = await Promise.all([
    untilFullAnswers(world, client, limit),
    untilFullPage(world, limit),
  ]);
  return {
    requestsMs: fullAt && fullAt - healedAt,
    reportedMs: page.fullAt && page.fullAt - healedAt,
    lastReason: page.lastReason,
  };
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

/** When the page said so, and what it had said last before. */
async function untilFullPage(
  { replicas, operator }: World,
  limit: AbortSignal,
): Promise<{ fullAt?: number; lastReason?: string }> {
  let lastReason: string | undefined;
  while (!limit.aborted) {
    const pages = await Promise.all(replicas.map((replica) => operator.levels(replica)));
    const fullAt = performance.now();
    const below = pages.flatMap((page) => (page ? belowFull(page) : ['no answer']));
    if (below.length === 0) return { fullAt, lastReason };
    lastReason = below.join(', ');
    await delay(PAGE_EVERY_MS, undefined, { signal: limit }).catch(() => undefined);
  }
  return { lastReason };
}

const belowFull = ({ capabilities }: LevelPage): string[] =>
  Object.entries(capabilities)
    .filter(([, { level }]) => level !== 'full')
    .map(([name, { level, reasons = [] }]) => `${name} ${level} (${reasons.join(', ')})`);

export const levelsOn = (page: { capabilities?: Record<string, { level: string }> }): string[] =>
  Object.values(page.capabilities ?? {}).map(({ level }) => level);
