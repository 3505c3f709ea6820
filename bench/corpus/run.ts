/**
 * Puts a folder of real files of every format, good and bad, through the whole program at once, judges how each ended,
 * and writes docs/formats.md. `npm run ingest:corpus`; files are read from ../shared/data/documents.
 * Exits 1 when a file did not come to the end that its class demands.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProgramUnderTest } from '../program-under-test.js';
import { percentile } from '../statistics.js';
import { formatsPage } from './formats-page.js';
import { judge, type Outcome } from './judge.js';
import { CORPUS_FOLDER, readManifest, type Sample } from './manifest.js';

const LIMIT_MS = 20 * 60_000;
const FINAL = new Set(['ready', 'failed', 'needs_review', 'cancelled']);
const PROBES_IDLE = 50;
const PROBE_EVERY_MS = 200;
const SHED_PAUSE_MS = 1_000;

interface DocumentBody {
  id: string;
  title: string;
  status: string;
  reason: { code: string } | null;
  stages: { duration_ms: number | null }[];
}

const samples = await readManifest();
const startedMs = performance.now();
const program = await ProgramUnderTest.start();
try {
  const idleMs = await probeUntil(async () => delay(PROBES_IDLE * PROBE_EVERY_MS));
  const outcomes = new Map<Sample, Outcome>();
  const busyMs = await probeUntil(() =>
    Promise.all(samples.map(async (sample) => outcomes.set(sample, await putThrough(sample)))),
  );
  const rows = samples.map((sample) => {
    const outcome = outcomes.get(sample)!;
    return { sample, outcome, verdict: judge(sample, outcome) };
  });
  const passed = rows.filter(({ verdict }) => verdict.passed).length;
  for (const { sample, verdict } of rows)
    console.log(
      `${verdict.passed ? 'ok  ' : 'FAIL'} ${sample.class.padEnd(18)} ${sample.file}: ${verdict.found}`,
    );
  console.log(`\n${passed} of ${rows.length} as their class demands, ${seconds()} in all`);
  console.log(`search p50/p95: idle ${spread(idleMs)}, meanwhile ${spread(busyMs)}`);
  await writeFile(
    'docs/formats.md',
    formatsPage(rows, { allSeconds: seconds(), idle: spread(idleMs), busy: spread(busyMs) }),
  );
  if (passed < rows.length) process.exitCode = 1;
} finally {
  await program.stop();
}

/** A file that asks for its password is given it, when there is one. */
async function putThrough(sample: Sample): Promise<Outcome> {
  const content = await readFile(join(CORPUS_FOLDER, sample.file));
  // A file may be refused at the door, which is an end too; one that is shed is sent again.
  const accepted = await sent(content, basename(sample.file));
  if (accepted.status >= 400)
    return {
      status: 'failed',
      reason: `${accepted.body.code}`,
      title: '',
      text: '',
      passages: 0,
      seconds: 0,
    };
  const id = accepted.body.id as string;
  const outcome = await settled(id);
  if (sample.password === '' || outcome.status === 'ready') return outcome;
  await program.send(`/v1/documents/${id}/retry`, jsonOf({ password: sample.password }));
  return { ...outcome, opened: await settled(id) };
}

async function sent(content: Uint8Array<ArrayBuffer>, filename: string) {
  for (;;) {
    const answer = await program.send('/v1/documents', uploadOf(content, filename));
    if (answer.status !== 503 && answer.status !== 429) return answer;
    await delay(SHED_PAUSE_MS);
  }
}

async function settled(id: string): Promise<Outcome> {
  for (;;) {
    const document = await program.request<DocumentBody>(`/v1/documents/${id}`);
    if (document && FINAL.has(document.status)) {
      const passages = await program.all<{ text: string }>(`/v1/documents/${id}/passages`);
      const text = passages.map((passage) => passage.text).join('\n');
      const { status, reason, title } = document;
      return {
        status,
        reason: reason?.code ?? null,
        title,
        text,
        passages: passages.length,
        seconds: worked(document),
      };
    }
    if (performance.now() - startedMs > LIMIT_MS) throw new Error(`${id} is still ${document?.status}`);
    await delay(250);
  }
}

/** Without the time in the queue, and in the hands of a person who looks for a password. */
function worked({ stages }: DocumentBody): number {
  return stages.reduce((sum, { duration_ms }) => sum + (duration_ms ?? 0), 0) / 1_000;
}

/** How long searches take while something goes on, in milliseconds. */
async function probeUntil(work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let isDone = false;
  const done = work().finally(() => (isDone = true));
  while (!isDone) {
    const beganMs = performance.now();
    await program.send('/v1/search', jsonOf({ query: 'what does the plan pay for physiotherapy?' }));
    times.push(performance.now() - beganMs);
    await delay(PROBE_EVERY_MS);
  }
  await done;
  return times;
}

function uploadOf(content: Uint8Array<ArrayBuffer>, filename: string): RequestInit {
  const body = new FormData();
  body.append('file', new Blob([content]), filename);
  return { method: 'POST', body };
}

function jsonOf(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

function spread(times: readonly number[]): string {
  return `${percentile(times, 0.5).toFixed(0)} / ${percentile(times, 0.95).toFixed(0)} ms`;
}

function seconds(): string {
  return `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`;
}
