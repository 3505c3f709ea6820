import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalEmbedder } from '../apps/api/src/rag/providers/local.embedder.js';
import { type DataSet, readDataSet, sampleOf } from './retrieval/data-set.js';
import { evaluate, type Evaluation, WAYS } from './retrieval/evaluate.js';
import type { Metrics } from './retrieval/metrics.js';
import { RememberingEmbedder } from './retrieval/remembering.embedder.js';
import { startTemporaryDatabase } from './retrieval/temporary-database.js';

/*
 * How well retrieval finds what answers a question, on public collections:
 *
 *   npm run eval [-- --sample | --full] [--json] [--runs FOLDER] [--update]
 *
 * `--sample` (the default) takes policyqa and a fixed part of scifact and embeds for a minute or two; `--full` takes
 * the whole of scifact, half an hour the first time. Vectors are kept in the temporary folder. `--runs` writes the
 * rankings (question, document, score) for other graders. Exits with 1 when a figure of the hybrid is below the
 * committed one in bench/eval-baseline.json; `--update` commits the figures of this run instead.
 */

const DATA = '../shared/data/retrieval';
const BASELINE = 'bench/eval-baseline.json';
const SAMPLE = { questions: 60, distractors: 240 };
/** Processors differ in the last bits of a vector. */
const TOLERANCE = 0.002;

type Figures = Record<string, Record<string, Metrics>>;

const { values: options } = parseArgs({
  options: {
    sample: { type: 'boolean' },
    full: { type: 'boolean' },
    json: { type: 'boolean' },
    runs: { type: 'string' },
    update: { type: 'boolean' },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  if (!existsSync(DATA)) {
    console.log(`Skipped: the public collections are not in ${DATA}.`);
    return 0;
  }
  const figures = await evaluateAll();
  if (options.json) console.log(JSON.stringify(figures, null, 2));
  else printTable(figures);
  if (options.update) {
    await writeFile(BASELINE, `${JSON.stringify({ ...baseline(), ...figures }, null, 2)}\n`);
    return 0;
  }
  const losses = lossesOf(figures);
  for (const loss of losses) console.error(loss);
  return losses.length > 0 ? 1 : 0;
}

async function evaluateAll(): Promise<Figures> {
  const local = new LocalEmbedder({ threads: Math.min(availableParallelism(), 4), idleMs: 60_000 });
  const cache = join(tmpdir(), 'navigator-eval', `${local.model}.vectors`);
  const embedder = await RememberingEmbedder.open(local, cache);
  const db = await startTemporaryDatabase();
  try {
    const figures: Figures = {};
    for (const set of dataSets()) {
      const evaluation = await evaluate(db, embedder, set, {}, showProgress(set));
      figures[set.name] = evaluation.figures;
      if (options.runs) await writeRuns(options.runs, set, evaluation);
    }
    return figures;
  } finally {
    await db.close();
    await local.onApplicationShutdown();
  }
}

function dataSets(): DataSet[] {
  const scifact = readDataSet(DATA, 'scifact');
  return [readDataSet(DATA, 'policyqa'), options.full ? scifact : sampleOf(scifact, SAMPLE)];
}

async function writeRuns(folder: string, { name }: DataSet, { runs }: Evaluation): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const way of WAYS) {
    const lines = [...runs[way]].flatMap(([question, documents]) =>
      documents.map(([document, score]) => `${question}\t${document}\t${score}`),
    );
    await writeFile(join(folder, `${name}-${way}.tsv`), `${lines.join('\n')}\n`);
  }
}

function printTable(figures: Figures): void {
  for (const [set, ways] of Object.entries(figures))
    for (const [way, metrics] of Object.entries(ways)) {
      const cells = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
      console.log(`${set.padEnd(15)} ${way.padEnd(9)} ${cells.join('  ')}`);
    }
}

function lossesOf(figures: Figures): string[] {
  const committed = baseline();
  return Object.entries(figures).flatMap(([set, { hybrid }]) =>
    Object.entries(committed[set]?.hybrid ?? {}).flatMap(([name, before]) => {
      const now = hybrid![name as keyof Metrics];
      return now < before - TOLERANCE ? [`${set}: ${name} fell from ${before} to ${now}`] : [];
    }),
  );
}

function baseline(): Figures {
  return existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Figures) : {};
}

function showProgress({ name }: DataSet) {
  let shownAt = performance.now();
  return (done: number, total: number, what: string) => {
    if (performance.now() - shownAt < 10_000) return;
    shownAt = performance.now();
    console.error(`${name}: ${done} of ${total} ${what}`);
  };
}
