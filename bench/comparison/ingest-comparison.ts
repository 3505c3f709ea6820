/**
 * Ingestion beside a LangChain script of the same splitter sizes on the same embedder (20 ms a batch), in one run:
 * documents a second, memory, growth from n to 4n documents, one uploader against eight, and how questions fare while
 * a large PDF is read. `npm run bench:comparison`, or `node dist/bench/comparison/ingest-comparison.js [documents] [pages]`.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '#libs/database';
import { CountingEmbedder } from '../counting-embedder.js';
import { planPdf } from '../plan-pdf.js';
import { planText } from '../plan-text.js';
import { ProgramUnderTest } from '../program-under-test.js';
import { percentile } from '../statistics.js';
import { MemoryOfTree } from './process-tree.js';

/** About 300 words, as in the peers' measurements. */
const SECTIONS = 4;
const UPLOADERS = 8;
const QUESTIONS = 100;
/** As OpenAI's small model has. */
const DIMENSIONS = 1_536;

const [documents = 1_000, pages = 500] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'navigator-comparison-'));
const embedder = await CountingEmbedder.start(DIMENSIONS);
try {
  const sample = await writeSample(documents);
  for (const store of ['memory', 'postgres'])
    print(`LangChain, ${store}`, tell(await langchain(store, sample), documents));
  const one = await ours(documents, 1);
  print('ours, 1 uploader', tell(one, documents));
  const eight = await ours(documents, UPLOADERS);
  print(`ours, ${UPLOADERS} uploaders`, tell(eight, documents));
  const four = await ours(4 * documents, UPLOADERS);
  print(`ours, ${4 * documents} documents`, tell(four, 4 * documents));
  print(
    'growth of memory to four times as many',
    `${((four.ownPeakMb / eight.ownPeakMb - 1) * 100).toFixed(0)} % (service alone)`,
  );
  print('passages there more or less than once', `${one.wrong + eight.wrong + four.wrong}`);
  for (const [name, value] of Object.entries(await largePdf())) print(name, value);
} finally {
  await embedder.stop();
  await rm(folder, { recursive: true, force: true });
}

interface Run {
  seconds: number;
  chunks: number;
  /** With its parser processes. */
  peakMb: number;
  ownPeakMb: number;
  wrong: number;
}

/** At once, because all of it takes minutes. */
function print(name: string, value: string): void {
  console.log(`${name.padEnd(44)} ${value}`);
}

function tell({ seconds, chunks, peakMb, ownPeakMb }: Run, count: number): string {
  return `${(count / seconds).toFixed(0)} documents/s, ${chunks} chunks, peak ${peakMb} MB (service alone ${ownPeakMb} MB)`;
}

async function writeSample(count: number): Promise<string> {
  const path = join(folder, 'sample');
  await mkdir(path);
  for (let i = 0; i < count; i++) await writeFile(join(path, `${i}.md`), planText(i + 1, SECTIONS));
  return path;
}

async function langchain(store: string, sample: string): Promise<Run> {
  const database = await startEmbeddedPostgres({ dataDir: join(folder, `langchain-${store}`) });
  try {
    const script = new URL('./langchain.js', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      store,
      sample,
      embedder.url,
      String(DIMENSIONS),
      database.url,
    ]);
    const run = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
      seconds: number;
      chunks: number;
      peakMb: number;
    };
    return { ...run, ownPeakMb: run.peakMb, wrong: 0 };
  } finally {
    await database.stop();
  }
}

function start(): Promise<ProgramUnderTest> {
  return ProgramUnderTest.start({
    EMBEDDER_PROVIDER: 'openai',
    EMBEDDER_MODEL: 'counting',
    EMBEDDER_DIMENSIONS: String(embedder.dimensions),
    OPENAI_API_KEY: 'none',
    OPENAI_BASE_URL: embedder.url,
  });
}

/** From the first upload until the last document is ready, durable at every step. */
async function ours(count: number, uploaders: number): Promise<Run> {
  const program = await start();
  const memory = new MemoryOfTree(program.pid);
  try {
    const startedMs = performance.now();
    const texts = Array.from({ length: count }, (_, i) => planText(i + 1, SECTIONS));
    const sent: string[] = [];
    const uploader = async () => {
      for (let text = texts.pop(); text !== undefined; text = texts.pop())
        sent.push(await upload(program, text));
    };
    await Promise.all(Array.from({ length: uploaders }, uploader));
    await untilIdle(program);
    const seconds = (performance.now() - startedMs) / 1_000;
    const listed = await program.all<{ status: string; passages: number; title: string }>('/v1/documents');
    const chunks = listed.reduce((sum, { passages }) => sum + passages, 0);
    const isWrong = ({ status, passages }: (typeof listed)[number]) =>
      status !== 'ready' || passages !== SECTIONS;
    const wrong =
      listed.filter(isWrong).length + Math.abs(listed.length - count) + Math.abs(sent.length - count);
    return { seconds, chunks, wrong, peakMb: memory.peakMb, ownPeakMb: memory.ownPeakMb };
  } finally {
    memory.stop();
    await program.stop();
  }
}

async function upload(program: ProgramUnderTest, text: string): Promise<string> {
  for (;;) {
    const answer = await program.upload(text, 'plan.md');
    if (answer) return answer.id;
    await delay(20);
  }
}

async function untilIdle(program: ProgramUnderTest): Promise<void> {
  for (const status of ['queued', 'processing'])
    while (
      ((await program.request<{ items: unknown[] }>(`/v1/documents?limit=1&status=${status}`))?.items
        .length ?? 1) > 0
    )
      await delay(50);
}

/** Questions before and while one large PDF is read. */
async function largePdf(): Promise<Record<string, string>> {
  const program = await start();
  const memory = new MemoryOfTree(program.pid);
  try {
    for (let i = 0; i < 20; i++) await upload(program, planText(i + 1, SECTIONS));
    await untilIdle(program);
    const { id: conversation } = (await program.request<{ id: string }>('/v1/conversations', jsonOf({})))!;
    let asked = 0;
    const ask = async () => {
      const startedMs = performance.now();
      const question = `What does plan ${(asked % 20) + 1} pay for hospice care in year ${2000 + asked++}?`;
      await program.send(`/v1/conversations/${conversation}/questions`, jsonOf({ question }));
      return performance.now() - startedMs;
    };
    for (let i = 0; i < 20; i++) await ask();
    const idle: number[] = [];
    for (let i = 0; i < QUESTIONS; i++) idle.push(await ask());

    const pdf = await planPdf(1, pages);
    const startedMs = performance.now();
    const { id } = (await program.upload(pdf, 'large.pdf'))!;
    const reached: Record<string, number> = {};
    const busy: number[] = [];
    for (;;) {
      busy.push(await ask());
      const body = (await program.request<{ status: string; answerable: string }>(`/v1/documents/${id}`))!;
      for (const mark of [body.answerable, body.status])
        reached[mark] ??= (performance.now() - startedMs) / 1_000;
      if (body.status === 'failed') throw new Error('The large PDF failed');
      if (body.status === 'ready') break;
    }
    const spread = (times: number[]) =>
      `p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms`;
    return {
      'questions, idle': spread(idle),
      [`questions while ${pages} pages are read`]: `${spread(busy)} (${busy.length})`,
      [`${pages} pages: by words, ready`]: `${(reached.lexical ?? reached.semantic)!.toFixed(1)} s, ${reached.ready!.toFixed(1)} s`,
      'memory while they are read': `${memory.peakMb} MB (service alone ${memory.ownPeakMb} MB)`,
    };
  } finally {
    memory.stop();
    await program.stop();
  }
}

function jsonOf(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}
