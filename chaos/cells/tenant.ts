import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Cell, expectThat, type Play } from '../cell.js';
import { durations, percentile } from '../evidence.js';
import { PLAIN } from '../harness/world.js';
import type { FloodReport } from '../load/flood.js';
import { upload } from '../load/operations.js';
import { answeredAtLeast } from './bounds.js';

const run = promisify(execFile);
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
      const strange = Object.entries(notes)
        .filter(([name]) => name.startsWith('by '))
        .map(([name, count]) => `, ${count} ${name}`);
      const [was, is] = [before, others].map((operations) => percentile(durations(operations), 0.95));
      return [
        answeredAtLeast(0.999, others, 'requests of others'),
        expectThat(
          is! <= OTHERS_SLOWER * was!,
          `p95 of others: ${was!.toFixed(0)} ms, then ${is!.toFixed(0)} ms (bound 1.3 times)`,
        ),
        expectThat(
          notes['refused']! > 0 && strange.length === 0,
          `of its ${notes['sent']} requests ${notes['answered']} were answered, ${notes['refused']} refused by 429 with RateLimit headers${strange.join('')} (bound: none otherwise)`,
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
        `${notes['accepted']} streams accepted, ${notes['refused']} refused by 429, ${notes['shed']} by 503 with Retry-After, ${notes['failed']} otherwise (bound 0)`,
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

/** By a process of its own, so that those who are watched are not measured by a process that is busy flooding. */
async function flood({ world, cell, notes }: Play): Promise<void> {
  const { replica, tenants } = world;
  const args = [replica.url, tenants[0]!.apiKey, String(FLOOD_A_SECOND), String(cell.seconds)];
  const { stdout } = await run(process.execPath, ['dist/chaos/load/flood.js', ...args]);
  const { sent, refused, answered, otherwise } = JSON.parse(stdout) as FloodReport;
  Object.assign(notes, { sent, refused, answered });
  for (const [what, count] of Object.entries(otherwise)) notes[`by ${what}`] = count;
}

/** Documents that are not finished have something to wait for. */
async function waitInStreams({ world, cell, client, notes }: Play): Promise<void> {
  Object.assign(notes, { accepted: 0, refused: 0, shed: 0, failed: 0 });
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
    if (i % 50 === 49) await delay(100);
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
    else if (response.status === 503 && response.headers.has('retry-after')) notes['shed']! += 1;
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
