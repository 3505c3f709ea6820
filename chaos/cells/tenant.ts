import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, expectThat, type Play } from '../cell.js';
import { durations, percentile } from '../evidence.js';
import { PLAIN } from '../harness/world.js';
import { upload } from '../load/operations.js';
import { answeredAtLeast } from './bounds.js';

const QUOTA_A_MINUTE = 360;
const FLOOD_A_SECOND = (50 * QUOTA_A_MINUTE) / 60;
const OTHERS_SLOWER = 1.3;
const STREAMS = 10_000;
const SLOW_SOCKETS = 500;
const SLOW_LIMIT_MS = 10_000;
const MEMORY_BYTES = 250 * 1_048_576;

const tenant = (cell: Omit<Cell, 'dependency' | 'recoverWithinMs'> & Partial<Cell>): Cell => ({
  dependency: 'tenant',
  recoverWithinMs: 5_000,
  ...cell,
});

export const tenantCells: readonly Cell[] = [
  tenant({
    id: 'F50',
    fault: 'one tenant asks for fifty times its quota',
    setUp: { ...PLAIN, environment: { RATE_SEARCH_PER_MINUTE: String(QUOTA_A_MINUTE) } },
    seconds: 30,
    steadySeconds: 25,
    begin: () => Promise.resolve(),
    during: flood,
    heal: () => Promise.resolve(),
    levels: ['full'],
    expects: (evidence, { world, notes }) => {
      const flooder = world.tenants[0]!.name;
      const kinds = new Set(['question', 'repeated', 'documents', 'conversations', 'conversation', 'search']);
      const others = evidence.during(kinds).filter((operation) => operation.tenant !== flooder);
      const before = evidence.all.filter(
        (operation) =>
          operation.phase === 'steady' && operation.tenant !== flooder && kinds.has(operation.kind),
      );
      const [was, is] = [before, others].map((operations) => percentile(durations(operations), 0.95));
      return [
        answeredAtLeast(0.999, others, 'requests of others'),
        expectThat(
          is! <= OTHERS_SLOWER * was!,
          `p95 of others: ${was!.toFixed(0)} ms, then ${is!.toFixed(0)} ms (bound 1.3 times)`,
        ),
        expectThat(
          notes['refused']! > 0 && notes['otherRefusals'] === 0 && notes['withLimits'] === notes['refused'],
          `${notes['refused']} of ${notes['sent']} refused, all by 429 with RateLimit headers`,
        ),
      ];
    },
  }),
  tenant({
    id: 'F51',
    fault: `${STREAMS} event streams that wait, and ${SLOW_SOCKETS} connections that never finish their headers`,
    setUp: PLAIN,
    seconds: 30,
    begin: ({ world }) => world.second.follow({ embeddings: [{ failure: 'hang' }] }),
    during: waitInStreams,
    heal: ({ world }) => world.second.follow({}),
    levels: ['full', 'degraded'],
    recoverWithinMs: 20_000,
    expects: (evidence, { notes }) => [
      expectThat(
        notes['accepted']! > 0 && notes['refused']! > 0 && notes['failed'] === 0,
        `${notes['accepted']} streams accepted, ${notes['refused']} refused by 429, ${notes['failed']} otherwise (bound 0)`,
      ),
      expectThat(notes['files']! < 2_000, `${notes['files']} open files (bound 2,000)`),
      expectThat(
        notes['grownBytes']! < MEMORY_BYTES,
        `grew by ${(notes['grownBytes']! / 1_048_576).toFixed(0)} MB (bound 250 MB)`,
      ),
      expectThat(
        notes['slowClosedMs']! <= SLOW_LIMIT_MS + 1_000,
        `slow connections closed after ${(notes['slowClosedMs']! / 1_000).toFixed(1)} s (bound 10 s)`,
      ),
      answeredAtLeast(0.99, evidence.during(), 'requests'),
    ],
  }),
];

/** At a fixed rate, whatever is answered. */
async function flood({ world, cell, notes }: Play): Promise<void> {
  const { apiKey } = world.tenants[0]!;
  const open = new Set<Promise<void>>();
  Object.assign(notes, { sent: 0, refused: 0, withLimits: 0, otherRefusals: 0 });
  const search = async () => {
    const response = await fetch(`${world.replica.url}/v1/search`, {
      method: 'POST',
      body: JSON.stringify({ query: 'physiotherapy', limit: 1 }),
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    }).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === 429) {
      notes['refused']! += 1;
      if (
        response.headers.has('retry-after') &&
        [...response.headers.keys()].some((key) => key.startsWith('ratelimit'))
      )
        notes['withLimits']! += 1;
    } else if (!response?.ok) notes['otherRefusals']! += 1;
  };
  const startedAt = performance.now();
  while (performance.now() - startedAt < cell.seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * FLOOD_A_SECOND;
    for (; notes['sent']! < due; notes['sent']! += 1) {
      const sent: Promise<void> = search().finally(() => open.delete(sent));
      open.add(sent);
    }
    await delay(10);
  }
  await Promise.all(open);
}

/** Documents that are not finished have something to wait for. */
async function waitInStreams({ world, cell, client, notes }: Play): Promise<void> {
  Object.assign(notes, { accepted: 0, refused: 0, failed: 0 });
  const { replica, tenants } = world;
  const memory = await replica.memory();
  const slow = slowSockets(replica.url, notes);
  const ids = await Promise.all(
    tenants.map(async (each) => (await client.send(upload(each))).operation.resourceId),
  );
  const ends = new AbortController();
  const waiting: Promise<void>[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const { apiKey } = tenants[i % tenants.length]!;
    const url = `${replica.url}/v1/documents/${ids[i % ids.length]}/events`;
    waiting.push(waitIn(url, apiKey, ends.signal, notes));
    if (i % 100 === 99) await delay(50);
  }
  await delay(cell.seconds * 500);
  notes['files'] = await replica.allOpenFiles();
  notes['grownBytes'] = (await replica.memory()) - memory;
  ends.abort();
  await Promise.all(waiting);
  await slow;
}

async function waitIn(
  url: string,
  apiKey: string,
  signal: AbortSignal,
  notes: Record<string, number>,
): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream' };
  try {
    const response = await fetch(url, { headers, signal });
    if (response.ok) notes['accepted']! += 1;
    else if (response.status === 429) notes['refused']! += 1;
    else notes['failed']! += 1;
    await response.text();
  } catch {
    if (!signal.aborted) notes['failed']! += 1;
  }
}

/** Send a byte of their headers each second, and note when the last of them was closed. */
async function slowSockets(url: string, notes: Record<string, number>): Promise<void> {
  const { hostname, port } = new URL(url);
  const startedAt = performance.now();
  const close = (socket: Socket) =>
    new Promise<void>((resolve) => {
      const drip = setInterval(() => socket.write('x'), 1_000);
      const giveUp = setTimeout(() => socket.destroy(), 45_000);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearInterval(drip);
          clearTimeout(giveUp);
          resolve();
        });
      socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ');
      socket.resume();
    });
  await Promise.all(Array.from({ length: SLOW_SOCKETS }, () => close(connect(Number(port), hostname))));
  notes['slowClosedMs'] = performance.now() - startedAt;
}
