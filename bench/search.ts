import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { NewPassage } from '../apps/api/src/rag/passages/passage.js';
import { LocalEmbedder } from '../apps/api/src/rag/providers/local.embedder.js';
import { Embedder } from '../apps/api/src/rag/providers/provider.js';
import type { RetrievalRequest } from '../apps/api/src/rag/retrieval/retriever.js';
import { readDataSet } from './retrieval/data-set.js';
import { Library, passagesOf } from './retrieval/library.js';
import { startTemporaryDatabase, type TemporaryDatabase } from './retrieval/temporary-database.js';
import { medianAnd95 } from './statistics.js';

/*
 * How long a search takes: `npm run bench:search [-- sizes…]`, 10000 and 100000 passages unless given. Each size is a
 * tenant of its own in one embedded PostgreSQL. Texts are those of two public collections with every tenth word
 * changed, cut into documents of 60 passages; their vectors are made up, the questions and their vectors are real.
 */

const DATA = '../shared/data/retrieval';
const PASSAGES_PER_DOCUMENT = 60;
const COLLECTIONS = 10;
const QUESTIONS = 200;
const CONCURRENCY = 4;
const never = new AbortController().signal;

/** Vectors of passages that cost nothing, and of questions as they are. */
class HalfSyntheticEmbedder extends Embedder {
  readonly model: string;
  readonly dimensions: number;

  constructor(private readonly real: LocalEmbedder) {
    super();
    ({ model: this.model, dimensions: this.dimensions } = real);
  }

  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    if (texts.length === 1) return this.real.embed(texts, signal);
    return Promise.resolve(texts.map(() => this.synthetic()));
  }

  private synthetic(): Float32Array {
    const vector = Float32Array.from({ length: this.dimensions }, () => random() - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  }
}

async function main(): Promise<void> {
  const sizes = process.argv.slice(2).map(Number);
  const sets = ['policyqa', 'scifact'].map((name) => readDataSet(DATA, name));
  const passages = sets.flatMap(({ documents }) => documents.flatMap((document) => passagesOf(document)));
  const questions = sets.flatMap((set) => set.questions.slice(0, QUESTIONS / 2).map(({ text }) => text));
  const embedder = new LocalEmbedder({ threads: 1, idleMs: 60_000 });
  const db = await startTemporaryDatabase();
  console.log('| passages | what | p50 / p95 | lexical | embedding | semantic and texts |');
  console.log('|---|---|---|---|---|---|');
  try {
    for (const size of sizes.length > 0 ? sizes : [10_000, 100_000])
      await measure(db, size, passages, questions, new HalfSyntheticEmbedder(embedder));
    console.log(`\nLoad average at the end: ${loadavg()[0]!.toFixed(1)}`);
  } finally {
    await db.close();
    await embedder.onApplicationShutdown();
  }
}

async function measure(
  db: TemporaryDatabase,
  size: number,
  passages: readonly NewPassage[],
  questions: readonly string[],
  embedder: Embedder,
): Promise<void> {
  const library = new Library(db, await db.addTenant(), embedder);
  const startedAt = performance.now();
  const first = await fill(library, size, passages);
  console.error(`${size} passages stored in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  await db.vacuum();
  const retriever = library.retriever();
  const scopes: [string, Partial<RetrievalRequest>][] = [
    ['all documents', {}],
    ['all documents, words only', { mode: 'lexical' }],
    [`one of ${COLLECTIONS} collections`, { collection: 'collection-3' }],
    ['one document', { documentIds: [first] }],
  ];
  for (const [what, scope] of scopes) {
    const times: Awaited<ReturnType<typeof retriever.retrieve>>['timings'][] = [];
    for (const query of questions)
      times.push(
        (await retriever.retrieve({ reader: library.reader, query, limit: 10, ...scope }, never)).timings,
      );
    // The first of a kind also waits for caches to fill.
    const of = (part: keyof (typeof times)[number]) => medianAnd95(times.slice(5).map((time) => time[part]));
    console.log(
      `| ${size} | ${what} | **${of('totalMs')}** | ${of('lexicalMs')} | ${of('embedMs')} | ${of('semanticMs')} |`,
    );
  }
}

/** @returns the id of one of the documents */
async function fill(library: Library, size: number, passages: readonly NewPassage[]): Promise<string> {
  const words = passages.slice(0, 2_000).flatMap(({ text }) => text.split(' '));
  const numbers = Array.from({ length: Math.ceil(size / PASSAGES_PER_DOCUMENT) }, (_, i) => i).values();
  const ids: string[] = [];
  const store = async () => {
    for (const i of numbers) {
      const made = Array.from({ length: PASSAGES_PER_DOCUMENT }, (_, ordinal): NewPassage => {
        const passage = passages[(i * PASSAGES_PER_DOCUMENT + ordinal) % passages.length]!;
        return { ...passage, ordinal, text: perturbed(passage.text, words) };
      });
      const document = {
        title: `Document ${i}`,
        collection: `collection-${i % COLLECTIONS}`,
        passages: made,
      };
      const id = await library.add(document, `document-${i}`);
      await library.embed(id);
      ids.push(id);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, store));
  return ids[0]!;
}

function perturbed(text: string, words: readonly string[]): string {
  const change = (word: string) => (random() < 0.1 ? words[Math.floor(random() * words.length)]! : word);
  return text.split(' ').map(change).join(' ');
}

/** The same numbers in every run, 0 to 1 (a linear congruence, good enough for filler). */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

if (existsSync(DATA)) await main();
else console.log(`Skipped: the public collections are not in ${DATA}.`);
