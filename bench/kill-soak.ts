/**
 * Uploads many documents at once while the program is killed by SIGKILL again and again, then checks that every
 * acknowledged document ends ready, that none is there twice, and that every passage is exact.
 * `npm run bench:kill-soak`, or `node dist/bench/kill-soak.js [documents] [clients] [kills]`. Exits 1 on any loss.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { makePassages } from '../apps/api/src/ingestion/passages/make-passages.js';
import { parseFile } from '../apps/api/src/ingestion/parsing/parse-file.js';
import { planText } from './plan-text.js';
import { ProgramUnderTest } from './program-under-test.js';

/** A kill comes at a random moment of this span after the program was ready. */
const KILL_AFTER_MS = [500, 6_000] as const;
const LIMIT_MS = 15 * 60_000;

interface Sent {
  id: string;
  text: string;
  /** How often it was sent until it was acknowledged. */
  tries: number;
}
interface Listed {
  id: string;
  status: string;
  answerable: string;
  stages: { attempts: number }[];
}

const [documents = 200, clients = 20, kills = 5] = process.argv.slice(2).map(Number);
const startedMs = performance.now();
const program = await ProgramUnderTest.start();
try {
  const [sent, recoveriesMs] = await Promise.all([uploadAll(), killAgain()]);
  const uploadedMs = performance.now() - startedMs;
  const listed = await untilSettled(sent.length);
  print({ sent, recoveriesMs, uploadedMs, listed, exactness: await compare(sent) });
} finally {
  await program.stop();
}

async function uploadAll(): Promise<Sent[]> {
  const texts = Array.from({ length: documents }, (_, i) => planText(i + 1, 2 + (i % 4)));
  const sent: Sent[] = [];
  const client = async () => {
    for (let text = texts.pop(); text !== undefined; text = texts.pop()) sent.push(await upload(text));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return sent;
}

/** Like every careful client: what was not acknowledged is sent again. */
async function upload(text: string): Promise<Sent> {
  for (let tries = 1; ; tries++) {
    const answer = await program.upload(text, 'plan.md');
    if (answer) return { id: answer.id, text, tries };
    await delay(100);
  }
}

async function killAgain(): Promise<number[]> {
  const recoveriesMs: number[] = [];
  for (let i = 0; i < kills; i++) {
    const [from, to] = KILL_AFTER_MS;
    await delay(from + Math.random() * (to - from));
    recoveriesMs.push(await program.killAndRestart());
  }
  return recoveriesMs;
}

async function untilSettled(expected: number): Promise<Listed[]> {
  for (;;) {
    const listed = await program.all<Listed>('/v1/documents');
    const settled = listed.filter(({ status }) => status === 'ready' || status === 'failed');
    if (settled.length >= expected && settled.length === listed.length) return listed;
    if (performance.now() - startedMs > LIMIT_MS)
      throw new Error(`Only ${settled.length} of ${expected} are settled`);
    await delay(500);
  }
}

/** Compares with the passages that the same text gives when nothing disturbs. */
async function compare(sent: Sent[]): Promise<{ passages: number; wrong: number }> {
  let passages = 0;
  let wrong = 0;
  for (const { id, text } of sent) {
    const wanted = makePassages(await parseFile(Buffer.from(text), 'text/markdown'));
    const found = await program.all<{ text: string; ordinal: number }>(`/v1/documents/${id}/passages`);
    passages += wanted.length;
    wrong += Math.abs(found.length - wanted.length);
    wrong += wanted.filter((passage, i) => found[i]?.text !== passage.text || found[i].ordinal !== i).length;
  }
  return { passages, wrong };
}

function print(result: {
  sent: Sent[];
  recoveriesMs: number[];
  uploadedMs: number;
  listed: Listed[];
  exactness: { passages: number; wrong: number };
}): void {
  const { sent, recoveriesMs, uploadedMs, listed, exactness } = result;
  const ids = new Set(sent.map(({ id }) => id));
  const ready = listed.filter(
    ({ status, answerable }) => status === 'ready' && answerable === 'semantic',
  ).length;
  const lost = [...ids].filter((id) => !listed.some((document) => document.id === id)).length;
  const doubled = listed.length - ids.size;
  const rows = {
    'uploads acknowledged': `${sent.length} of ${documents}, from ${clients} clients, in ${seconds(uploadedMs)}`,
    'uploads sent more than once': sent.filter(({ tries }) => tries > 1).length,
    'kills by SIGKILL': kills,
    'from kill to ready again': recoveriesMs.map(seconds).join(', '),
    'documents with a stage begun again': listed.filter(({ stages }) => stages.some((s) => s.attempts > 1))
      .length,
    'documents ready': `${ready} of ${documents}`,
    'documents lost': lost,
    'documents doubled': doubled,
    'passages that are not exact': `${exactness.wrong} of ${exactness.passages}`,
    'all done after': seconds(performance.now() - startedMs),
  };
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(36)} ${value}`);
  if (ready < documents || lost > 0 || doubled !== 0 || exactness.wrong > 0) process.exitCode = 1;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
