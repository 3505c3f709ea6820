/**
 * One very large PDF through the running program: memory of the service and of the largest process that it starts, time,
 * passages, how soon a cancellation takes effect, and what small documents wait meanwhile.
 * `npm run bench:large-pdf`, or `node dist/bench/large-pdf.js [pages]`. The embedder answers after 20 ms.
 */
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MemoryOfTree } from './comparison/process-tree.js';
import { CountingEmbedder } from './counting-embedder.js';
import { writeLargePdf } from './large-pdf-file.js';
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

const SMALL_DOCUMENTS = 20;

const [pages = 10_000] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'navigator-large-pdf-'));
const embedder = await CountingEmbedder.start();
const program = await ProgramUnderTest.start({
  EMBEDDER_PROVIDER: 'openai',
  EMBEDDER_MODEL: 'counting',
  EMBEDDER_DIMENSIONS: String(embedder.dimensions),
  OPENAI_API_KEY: 'none',
  OPENAI_BASE_URL: embedder.url,
});
const memory = new MemoryOfTree(program.pid);
try {
  const path = join(folder, 'large.pdf');
  await writeLargePdf(path, pages);
  await smallDocuments(0, 3);
  const idle = await smallDocuments(3, SMALL_DOCUMENTS);
  const restMb = memory.ownPeakMb;

  const id = await upload(await openAsBlob(path), 'large.pdf');
  await until(id, ({ percent }) => percent >= 3);
  const cancelledMs = await cancel(id);
  await program.send(`/v1/documents/${id}/retry`, { method: 'POST' });
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1_000;
  const busy = smallDocuments(3 + SMALL_DOCUMENTS, SMALL_DOCUMENTS);
  const read = until(id, ({ stages }) =>
    stages.some((s) => s.name === 'extract' && s.status === 'done'),
  ).then(seconds);
  const lexical = until(id, ({ answerable }) => answerable !== 'none').then(seconds);
  const ready = await until(id, ({ status }) => status === 'ready');
  print({
    'pages, file': `${pages}, ${((await stat(path)).size / 1e6).toFixed(1)} MB`,
    'cancelled after': `${cancelledMs.toFixed(0)} ms`,
    'read, answerable by words, ready after': `${(await read).toFixed(0)} s, ${(await lexical).toFixed(0)} s, ${seconds().toFixed(0)} s`,
    passages: String(ready.passages),
    'texts embedded': String(embedder.embedded),
    'memory of the service before, and most': `${restMb} MB, ${memory.ownPeakMb} MB`,
    'largest process that it started': `${memory.largestChildMb} MB`,
    'a small document, alone': `p50 ${percentile(idle, 0.5).toFixed(0)} ms`,
    'a small document meanwhile': `p50 ${percentile(await busy, 0.5).toFixed(0)} ms`,
  });
} finally {
  memory.stop();
  await program.stop();
  await embedder.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Until nobody works on the document any more. */
async function cancel(id: string): Promise<number> {
  const startedMs = performance.now();
  await program.send(`/v1/documents/${id}/cancel`, { method: 'POST' });
  await until(
    id,
    ({ status, stages }) => status === 'cancelled' && stages.every((s) => s.status !== 'running'),
  );
  return performance.now() - startedMs;
}

/** Milliseconds from the upload of each to ready, one after another. */
async function smallDocuments(from: number, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = from; i < from + count; i++) {
    const startedMs = performance.now();
    const id = await upload(new Blob([planText(1_000_000 + i, 4)]), 'small.md');
    await until(id, ({ status }) => status === 'ready');
    times.push(performance.now() - startedMs);
  }
  return times;
}

async function upload(content: Blob, filename: string): Promise<string> {
  const body = new FormData();
  body.append('file', content, filename);
  const answer = await program.request<{ id: string }>('/v1/documents', { method: 'POST', body });
  if (!answer) throw new Error(`${filename} was not accepted`);
  return answer.id;
}

async function until(id: string, matches: (document: Progress) => boolean): Promise<Progress> {
  for (;;) {
    const document = await program.request<Progress>(`/v1/documents/${id}`);
    if (document && matches(document)) return document;
    if (document?.status === 'failed') throw new Error(`The document failed: ${document.reason?.code}`);
    await delay(10);
  }
}

function print(rows: Record<string, string>): void {
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(44)} ${value}`);
}
