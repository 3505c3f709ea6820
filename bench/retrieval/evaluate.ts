import type { RetrievalConfig } from '../../apps/api/src/rag/retrieval/retrieval.config.js';
import type { RetrievedPassage } from '../../apps/api/src/rag/retrieval/retriever.js';
import type { Embedder } from '../../apps/api/src/rag/providers/provider.js';
import type { DataSet } from './data-set.js';
import { Library, passagesOf } from './library.js';
import { meanOf, type Metrics, metricsOf } from './metrics.js';
import type { TemporaryDatabase } from './temporary-database.js';

export const WAYS = ['lexical', 'semantic', 'hybrid'] as const;
export type Way = (typeof WAYS)[number];

export interface Evaluation {
  figures: Record<Way, Metrics>;
  /** Question → documents with their scores, the best first. */
  runs: Record<Way, Map<string, [document: string, score: number][]>>;
}

type Progress = (done: number, total: number, what: string) => void;

/** Enough passages for 100 documents nearly always. */
const PASSAGES = 200;
const CONCURRENCY = 6;
/** A document is as good as its best passage and a tenth of its second. */
const SECOND_PASSAGE = 0.1;

/** Puts the set into the product's stores and ranks it by the product's retrieval, in three ways. */
export async function evaluate(
  db: TemporaryDatabase,
  embedder: Embedder,
  set: DataSet,
  settings: Partial<RetrievalConfig>,
  progress: Progress,
): Promise<Evaluation> {
  const library = new Library(db, await db.addTenant(), embedder);
  const names = await fill(library, set, progress);
  const evaluation = { figures: {}, runs: {} } as Evaluation;
  for (const way of WAYS) {
    evaluation.runs[way] = await rank(library, set, names, way, settings, progress);
    const all = set.questions.map(({ id }) =>
      metricsOf(
        evaluation.runs[way].get(id)!.map(([document]) => document),
        set.relevant.get(id)!,
      ),
    );
    evaluation.figures[way] = meanOf(all);
  }
  return evaluation;
}

/** @returns our ids → the ids of the data set */
async function fill(library: Library, set: DataSet, progress: Progress): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const documents = set.documents.values();
  // Several at once, so that every thread of the embedder has work.
  const store = async () => {
    for (const { id, title, text, scope } of documents) {
      // Where documents have a scope, their title is its name and says nothing about them.
      const passages = passagesOf({ title: scope === undefined ? title : undefined, text });
      const document = await library.add({ title: title || id, collection: scope ?? null, passages }, id);
      await library.embed(document);
      names.set(document, id);
      progress(names.size, set.documents.length, 'documents stored');
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, store));
  return names;
}

async function rank(
  library: Library,
  { questions }: DataSet,
  names: Map<string, string>,
  way: Way,
  settings: Partial<RetrievalConfig>,
  progress: Progress,
): Promise<Map<string, [string, number][]>> {
  const retriever = library.retriever(way === 'semantic' ? { ...settings, lexicalWeight: 0 } : settings);
  const run = new Map<string, [string, number][]>();
  for (const [i, { id, text, scope }] of questions.entries()) {
    const { hits } = await retriever.retrieve(
      {
        reader: library.reader,
        query: text,
        collection: scope,
        limit: PASSAGES,
        ...(way === 'lexical' && { mode: 'lexical' }),
      },
      new AbortController().signal,
    );
    run.set(id, documentsOf(hits, names));
    progress(i + 1, questions.length, `questions asked (${way})`);
  }
  return run;
}

/** Of equals the one whose id comes first, as the reference grader has it: some documents of policyqa are the same. */
function documentsOf(hits: readonly RetrievedPassage[], names: Map<string, string>): [string, number][] {
  return [...Map.groupBy(hits, ({ documentId }) => names.get(documentId)!)]
    .map(([document, [best, second]]): [string, number] => [
      document,
      best!.score + SECOND_PASSAGE * (second?.score ?? 0),
    ])
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
