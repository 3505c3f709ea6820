/**
 * How fast uploads are accepted, and how soon a document of ten pages can be asked about.
 * `npm run build && node dist/bench/ingest.js`. Times are of one client and of eight at once, on the embedded database.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { planPdf } from './plan-pdf.js';
import { planText } from './plan-text.js';
import { ProgramUnderTest } from './program-under-test.js';

const SMALL_FILES = 100;
const LARGE_FILES = 8;
const LARGE_BYTES = 50_000_000;
const PDFS = 5;

const program = await ProgramUnderTest.start();
try {
  const idle = await memoryMb();
  await tenPages(0); // The first one loads the parser and the embedding model.
  const warm: Awaited<ReturnType<typeof tenPages>>[] = [];
  for (let i = 1; i <= PDFS; i++) warm.push(await tenPages(i));
  const small = Array.from({ length: SMALL_FILES }, (_, i) => Buffer.from(planText(1_000 + i, 10)));
  const one = await acceptance(small.slice(0, SMALL_FILES / 2), 1);
  const eight = await acceptance(small.slice(SMALL_FILES / 2), 8);
  const large = await acceptance(
    Array.from({ length: LARGE_FILES }, (_, i) => Buffer.alloc(LARGE_BYTES, `Large document ${i}. `)),
    1,
  );
  print({
    'accepted after the last byte, 10 KB, 1 client': spread(one),
    'accepted after the last byte, 10 KB, 8 clients': spread(eight),
    'accepted after the last byte, 50 MB, 1 client': spread(large),
    'ten-page PDF, passages': String(warm[0]!.passages),
    'ten-page PDF to answerable by its words': spread(warm.map((pdf) => pdf.lexicalMs)),
    'ten-page PDF to answerable by its meaning': spread(warm.map((pdf) => pdf.semanticMs)),
    'ten-page PDF to ready': spread(warm.map((pdf) => pdf.readyMs)),
    'memory at rest before, and most': `${idle.now} MB, ${(await memoryMb()).most} MB`,
  });
} finally {
  await program.stop();
}

/** Milliseconds from the last byte of each file to its answer. */
async function acceptance(files: Buffer[], clients: number): Promise<number[]> {
  const times: number[] = [];
  const client = async () => {
    for (let file = files.pop(); file; file = files.pop()) times.push(await upload(file, 'plan.md'));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return times;
}

async function upload(content: Buffer, filename: string): Promise<number> {
  const sent = post(content, filename);
  await once(sent, 'finish');
  const lastByteMs = performance.now();
  const [response] = await once(sent, 'response');
  const acceptedMs = performance.now() - lastByteMs;
  response.resume();
  if (response.statusCode >= 300) throw new Error(`The upload was answered with ${response.statusCode}`);
  return acceptedMs;
}

function post(content: Buffer, filename: string): ClientRequest {
  const head = `--B\r\ncontent-disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`;
  const tail = '\r\n--B--\r\n';
  const sent = request(`${program.url}/v1/documents`, {
    method: 'POST',
    headers: {
      ...program.headers,
      'content-type': 'multipart/form-data; boundary=B',
      'content-length': head.length + content.length + tail.length,
    },
  });
  sent.write(head);
  sent.write(content);
  sent.end(tail);
  return sent;
}

async function tenPages(seed: number) {
  const pdf = await planPdf(seed, 10);
  const startMs = performance.now();
  const { id } = (await program.upload(pdf, 'plan.pdf'))!;
  const reached: Record<string, number> = {};
  for (;;) {
    const document = (await program.request<Progress>(`/v1/documents/${id}`))!;
    for (const mark of [document.answerable, document.status]) reached[mark] ??= performance.now() - startMs;
    if (document.status === 'failed') throw new Error(`The PDF failed: ${document.reason?.code}`);
    if (document.status === 'ready')
      return {
        passages: document.passages,
        lexicalMs: reached.lexical ?? reached.semantic!,
        semanticMs: reached.semantic!,
        readyMs: reached.ready!,
      };
  }
}

interface Progress {
  status: string;
  answerable: string;
  passages: number;
  reason: { code: string } | null;
}

/** Resident memory of the program's own process. */
async function memoryMb(): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${program.pid}/status`, 'utf8');
  const field = (name: string) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024);
  return { now: field('VmRSS'), most: field('VmHWM') };
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(0);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (${times.length})`;
}

function print(rows: Record<string, string>): void {
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(50)} ${value}`);
}
