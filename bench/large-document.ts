import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '#libs/database';
import { MemoryOfTree } from './comparison/process-tree.js';
import { CountingEmbedder } from './counting-embedder.js';
import { createTenant } from './load/tenants.js';
import { planText } from './plan-text.js';
import { ProgramUnderTest } from './program-under-test.js';
import { percentile } from './statistics.js';

interface Progress {
  status: string;
  answerable: string;
  passages: number | null;
  reason: { code: string } | null;
  percent: number;
  stages: { name: string; status: string }[];
}

/** What the bench sends as one of the two tenants. */
type Send = <T>(path: string, init?: RequestInit) => Promise<T | undefined>;

const SMALL_DOCUMENTS = 20;
/** Whoever looks at the large one all the time is what the small ones wait for. */
const RARELY_MS = 500;
/** Of the large document, when it is cancelled. */
const CANCELLED_AT_PERCENT = 3;

/**
 * One very large document through the running program: memory of the service and of the largest process that it
 * starts, time, passages, how soon a cancellation takes effect, and how long a small document of another tenant takes
 * meanwhile, against alone. The embedder answers after 20 ms.
 *
 * @param write makes the file in a folder and returns its path
 */
export async function measureLargeDocument(
  write: (folder: string) => Promise<string>,
  settings: Record<string, string> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-large-document-'));
  const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  const embedder = await CountingEmbedder.start();
  const program = await ProgramUnderTest.start({
    DATABASE_URL: database.url,
    EMBEDDER_PROVIDER: 'openai',
    EMBEDDER_MODEL: 'counting',
    EMBEDDER_DIMENSIONS: String(embedder.dimensions),
    OPENAI_API_KEY: 'none',
    OPENAI_BASE_URL: embedder.url,
    ...settings,
  });
  const memory = new MemoryOfTree(program.pid);
  try {
    const neighbour = await neighbourOf(program, database.url);
    const path = await write(folder);
    await smallDocuments(neighbour, 0, 3);
    const idle = await smallDocuments(neighbour, 3, SMALL_DOCUMENTS);
    const restMb = memory.ownPeakMb;
    const owner: Send = (to, init) => program.request(to, init);

    const id = await upload(owner, await openAsBlob(path), basename(path));
    await until(owner, id, ({ percent }) => percent >= CANCELLED_AT_PERCENT);
    const cancelledMs = await cancel(owner, id);
    await owner(`/v1/documents/${id}/retry`, { method: 'POST' });
    const startedMs = performance.now();
    const seconds = () => (performance.now() - startedMs) / 1_000;
    const reached = (matches: (document: Progress) => boolean) =>
      until(owner, id, matches, RARELY_MS).then(seconds);
    const read = reached(({ stages }) => stages.some((s) => s.name === 'extract' && s.status === 'done'));
    const lexical = reached(({ answerable }) => answerable !== 'none');
    const done = until(owner, id, ({ status }) => status === 'ready', RARELY_MS);
    const small = await smallDocumentsUntil(neighbour, done);
    const ready = await done;
    const [alone, meanwhile] = [percentile(idle, 0.5), percentile(small, 0.5)];
    print({
      file: `${((await stat(path)).size / 1e6).toFixed(1)} MB`,
      'cancelled after': `${cancelledMs.toFixed(0)} ms`,
      'read, answerable by words, ready after': `${(await read).toFixed(0)} s, ${(await lexical).toFixed(0)} s, ${seconds().toFixed(0)} s`,
      passages: String(ready.passages),
      'memory of the service before, and most': `${restMb} MB, ${memory.ownPeakMb} MB`,
      'largest process that it started': `${memory.largestChildMb} MB`,
      'a small document of another tenant, alone': `p50 ${alone.toFixed(0)} ms`,
      'the same meanwhile': `p50 ${meanwhile.toFixed(0)} ms of ${small.length}, ${(meanwhile / alone).toFixed(2)} times`,
    });
  } finally {
    memory.stop();
    await program.stop();
    await embedder.stop();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function neighbourOf(program: ProgramUnderTest, databaseUrl: string): Promise<Send> {
  const authorization = `Bearer ${await createTenant(databaseUrl, 'neighbour')}`;
  return (path, init) => program.request(path, { ...init, headers: { ...init?.headers, authorization } });
}

/** Until nobody works on the document any more. */
async function cancel(send: Send, id: string): Promise<number> {
  const startedMs = performance.now();
  await send(`/v1/documents/${id}/cancel`, { method: 'POST' });
  await until(
    send,
    id,
    ({ status, stages }) => status === 'cancelled' && stages.every((s) => s.status !== 'running'),
  );
  return performance.now() - startedMs;
}

/** Milliseconds from the upload of each to ready, one after another. */
async function smallDocuments(send: Send, from: number, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = from; i < from + count; i++) times.push(await smallDocument(send, i));
  return times;
}

/** The same for as long as something else takes. */
async function smallDocumentsUntil(send: Send, end: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const over = () => (isOver = true);
  end.then(over, over);
  for (let i = 3 + SMALL_DOCUMENTS; !isOver; i++) times.push(await smallDocument(send, i));
  return times;
}

async function smallDocument(send: Send, number: number): Promise<number> {
  const startedMs = performance.now();
  const id = await upload(send, new Blob([planText(1_000_000 + number, 4)]), 'small.md');
  await until(send, id, ({ status }) => status === 'ready');
  return performance.now() - startedMs;
}

async function upload(send: Send, content: Blob, filename: string): Promise<string> {
  const body = new FormData();
  body.append('file', content, filename);
  const answer = await send<{ id: string }>('/v1/documents', { method: 'POST', body });
  if (!answer) throw new Error(`${filename} was not accepted`);
  return answer.id;
}

async function until(
  send: Send,
  id: string,
  matches: (document: Progress) => boolean,
  pollMs = 10,
): Promise<Progress> {
  for (;;) {
    const document = await send<Progress>(`/v1/documents/${id}`);
    if (document && matches(document)) return document;
    if (document?.status === 'failed') throw new Error(`The document failed: ${document.reason?.code}`);
    await delay(pollMs);
  }
}

function print(rows: Record<string, string>): void {
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(44)} ${value}`);
}
