import { readFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import PDFDocument from 'pdfkit';
import { ApiClient, type DocumentBody } from '../demo/api-client.js';
import { sampleQuestions } from '../demo/questions.js';
import { ServerProcess } from '../demo/server.js';
import { medianAnd95 } from './statistics.js';

/*
 * What a user waits for, measured from outside on the real program with its embedded database:
 * `npm run bench:product`. Prints a table in Markdown.
 */

const ADMIN = { email: 'admin@example.com', password: 'a passphrase for the benchmark' };
const PROGRAM = 'dist/apps/api/src/main.js';
const SAMPLES = ['benefits-booklet.pdf', 'claim-letter.docx', 'faq.html'];
const UPLOADS = 100;
const ROUNDS = 40;
const GENEROUS = Object.fromEntries(
  ['AUTH', 'UPLOAD', 'QUESTION', 'SEARCH', 'READ', 'WRITE'].map((name) => [
    `RATE_${name}_PER_MINUTE`,
    '1000000',
  ]),
);

const never = new AbortController().signal;
const rows: [string, string][] = [];
const report = (what: string, figure: string) => {
  rows.push([what, figure]);
  process.stderr.write(`${what}: ${figure}\n`);
};

const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
try {
  await startTwice();
  await withServer(async (client, pid) => {
    report('memory at rest, embedding model not loaded (resident)', await residentOf(pid));
    await tenPages(client);
    await samples(client);
    await uploads(client);
    report('memory after this (resident)', await residentOf(pid));
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
const load = loadavg()[0]!.toFixed(1);
process.stdout.write(
  [
    `Load average at the end: ${load}`,
    '',
    '| what | figure |',
    '|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n'),
);

async function startTwice(): Promise<void> {
  for (const what of ['first start to ready (makes the database)', 'start to ready on an existing folder']) {
    const startedAt = performance.now();
    await withServer(() => report(what, `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`));
  }
}

async function withServer(work: (client: ApiClient, pid: number) => unknown): Promise<void> {
  const server = new ServerProcess({
    program: PROGRAM,
    dataDir: folder,
    temporary: true,
    environment: {
      ...GENEROUS,
      PORT: '0',
      LOG_LEVEL: 'warn',
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    },
    signal: never,
  });
  try {
    const client = new ApiClient(await server.ready(), never);
    await client.login(ADMIN.email, ADMIN.password);
    await work(client, server.pid);
  } finally {
    await server.stop();
  }
}

/** From the upload of a ten-page PDF to the moments from which it can be asked. */
async function tenPages(client: ApiClient): Promise<void> {
  const path = join(folder, 'ten-pages.pdf');
  await writeFile(path, await makePdf(10));
  const startedAt = performance.now();
  const reached = new Map<DocumentBody['answerable'], number>();
  await client.followDocument(await client.upload(path), ({ answerable }) => {
    if (!reached.has(answerable)) reached.set(answerable, performance.now() - startedAt);
  });
  for (const level of ['lexical', 'semantic'] as const)
    report(
      `ten-page PDF (3,500 words), upload to answerable (${level})`,
      `${(reached.get(level)! / 1_000).toFixed(1)} s`,
    );
}

/** Questions that were not asked before, on the three sample documents; then one that was. */
async function samples(client: ApiClient): Promise<void> {
  const documents: string[] = [];
  for (const name of SAMPLES) {
    const { id } = await client.followDocument(await client.upload(`demo/samples/${name}`), () => undefined);
    documents.push(id);
  }
  const conversation = await client.createConversation();
  const ask = (question: string) => timed(() => client.ask(conversation, question, documents));
  for (const { question } of sampleQuestions) await ask(question);
  const fresh: number[] = [];
  const cached: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const { question } = sampleQuestions[i % sampleQuestions.length]!;
    fresh.push(await ask(`${question} (${i})`));
    cached.push(await ask(question));
  }
  report('extractive answer, new question, end to end (p50 / p95)', medianAnd95(fresh));
  report('extractive answer from the cache (p50 / p95)', medianAnd95(cached));
}

/** How long the answer to an upload takes after its last byte, while the uploads before it are processed. */
async function uploads(client: ApiClient): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < UPLOADS; i++) {
    const path = join(folder, `upload-${i}.txt`);
    await writeFile(path, `Plan number ${i}. ${'The deductible is paid before the plan pays. '.repeat(50)}`);
    times.push(await timed(() => client.upload(path)));
  }
  report(`upload accepted while ${UPLOADS} uploads are processed (p50 / p95)`, medianAnd95(times));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Of the program and the processes that it started, but not its database, in megabytes. */
async function residentOf(pid: number): Promise<string> {
  const processes = [pid, ...(await childrenOf(pid))];
  const sizes = await Promise.all(processes.map(residentBytes));
  const parsers = sizes.slice(1).reduce((sum, size) => sum + size, 0);
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return `${megabytes(sizes[0]!)}${parsers > 0 ? ` and ${megabytes(parsers)} in parser processes` : ''}`;
}

async function childrenOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [name, rest] = [
      stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      stat.slice(stat.lastIndexOf(')') + 2),
    ];
    if (name !== 'postgres' && Number(rest.split(' ')[1]) === parent) found.push(Number(pid));
  }
  return found;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
}

/** Pages of about 350 words of different sentences, each with a heading. */
async function makePdf(pages: number): Promise<Buffer> {
  const document = new PDFDocument({ size: 'LETTER', margin: 60 });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.once('end', resolve));
  for (let page = 1; page <= pages; page++) {
    if (page > 1) document.addPage();
    document
      .font('Helvetica-Bold')
      .fontSize(16)
      .text(`Section ${page}: benefits of class ${page}`)
      .moveDown();
    document.font('Helvetica').fontSize(10);
    for (let i = 1; i <= 16; i++)
      document
        .text(
          `Service ${page}.${i} is covered after the deductible of $${page * 100 + i} has been met in the plan year.`,
          { continued: true },
        )
        .text(
          ` For it you pay a copay of $${i * 5}, and prior authorization is ${i % 2 ? '' : 'not '}required.`,
        );
  }
  document.end();
  await ended;
  return Buffer.concat(chunks);
}
