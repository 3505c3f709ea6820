import { randomUUID } from 'node:crypto';
import type { AuditWorld } from '../../test/support/audit-world.js';
import { percentile } from '../statistics.js';

export interface AppendLoad {
  /** Of each measurement. */
  seconds: number;
  /** Each waits for its event to be durable before the next. */
  callers: number;
  /** In whose logs they are. */
  tenants: number;
}

export interface AppendRate {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

interface AppendFigures {
  /** Events a second that are inserted with nothing around them. */
  plain: number;
  alone: AppendRate;
  /** Events a second that the sealer gives their places when nothing else is done. */
  sealed: number;
  beside: AppendRate;
  /** Seconds from event to sealed, sorted. */
  ages: number[];
}

/** How fast durable events are appended, alone and beside the sealer, and what the server gives without an audit log. */
export async function appendFigures(
  world: AuditWorld,
  { seconds, callers, tenants: count }: AppendLoad,
): Promise<AppendFigures> {
  const tenants = await Promise.all(
    Array.from({ length: count }, async () => (await world.db.createTenant()).tenantId),
  );
  const people = Array.from({ length: callers }, () => randomUUID());
  const append = (caller: number) =>
    world.log.note(recordFor(tenants[caller % count]!, { caller, userId: people[caller]! }));
  const plain = await plainInserts(world, seconds);
  const alone = await rateOf(append, { seconds, callers });
  const backlog = sealBeside(world);
  const since = performance.now();
  const waited = (await backlog.stop()).length;
  const sealed = Math.round((waited / (performance.now() - since)) * 1_000);
  const sealing = sealBeside(world);
  const beside = await rateOf(append, { seconds, callers });
  return { plain, alone, sealed, beside, ages: await sealing.stop() };
}

async function rateOf(
  append: (caller: number) => Promise<unknown>,
  { seconds, callers }: Pick<AppendLoad, 'seconds' | 'callers'>,
): Promise<AppendRate> {
  const until = performance.now() + seconds * 1_000;
  const latencies: number[] = [];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (performance.now() < until) {
        const since = performance.now();
        await append(caller);
        latencies.push(performance.now() - since);
      }
    }),
  );
  return {
    perSecond: Math.round(latencies.length / seconds),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

/** As of a request: with where it comes from, each caller from an address of his own. */
const recordFor = (tenantId: string, { caller, userId }: { caller: number; userId: string }) => ({
  action: 'document.read',
  category: 'data.read' as const,
  actor: { type: 'user' as const, tenantId, id: userId, role: 'member', credentialId: randomUUID() },
  targets: [{ type: 'document', id: randomUUID() }],
  outcome: 'success' as const,
  requestId: randomUUID(),
  route: 'GET /v1/documents/:id',
  context: {},
  detail: { size_bytes: 12_345 },
  personal: {
    client_address: `192.0.2.${caller % 256}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) bench',
  },
});

/** The same text in batches of 200 by two writers into a table with nothing but a key: what the disk and the server give. */
async function plainInserts({ db }: AuditWorld, seconds: number): Promise<number> {
  await db.owner.query('create table plain (id uuid primary key, body text not null)');
  const body = JSON.stringify(recordFor(randomUUID(), { caller: 0, userId: randomUUID() }));
  const until = performance.now() + seconds * 1_000;
  let count = 0;
  await Promise.all(
    [0, 1].map(async () => {
      while (performance.now() < until) {
        const ids = Array.from({ length: 200 }, () => randomUUID());
        await db.owner.query('insert into plain select id, $2 from unnest($1::uuid[]) id', [ids, body]);
        count += ids.length;
      }
    }),
  );
  await db.owner.query('drop table plain');
  return Math.round(count / seconds);
}

/** Seals as the program does, until told to stop and nothing is left. */
function sealBeside({ sealer }: AuditWorld): { stop(): Promise<number[]> } {
  const ages: number[] = [];
  let stopping = false;
  const running = (async () => {
    for (;;) {
      const sealed = await sealer.seal();
      for (const age of sealed.ages) ages.push(age);
      if (stopping && sealed.ages.length === 0 && sealed.lagSeconds === 0) return;
      if (sealed.ages.length < 4_000) await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  return {
    async stop() {
      stopping = true;
      await running;
      return ages.toSorted((a, b) => a - b);
    },
  };
}
