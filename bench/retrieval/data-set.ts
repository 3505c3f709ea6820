import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A public test collection: documents, questions, and which documents answer which question. */
export interface DataSet {
  name: string;
  documents: DataDocument[];
  questions: DataQuestion[];
  /** Question → document → grade. */
  relevant: Map<string, Map<string, number>>;
}

export interface DataDocument {
  id: string;
  title: string;
  text: string;
  /** Questions with a scope are asked of the documents with the same scope. */
  scope?: string;
}

export interface DataQuestion {
  id: string;
  text: string;
  scope?: string;
}

/** The format is described in the README beside the data. */
export function readDataSet(folder: string, name: string): DataSet {
  const lines = (file: string) =>
    readFileSync(join(folder, name, file), 'utf8')
      .trim()
      .split('\n');
  const relevant = new Map<string, Map<string, number>>();
  for (const line of lines('qrels.tsv')) {
    const [question, document, grade] = line.split('\t');
    if (!(Number(grade) > 0)) continue;
    relevant.set(question!, (relevant.get(question!) ?? new Map()).set(document!, Number(grade)));
  }
  return {
    name,
    documents: lines('corpus.jsonl').map((line) => JSON.parse(line) as DataDocument),
    questions: lines('queries.jsonl')
      .map((line) => JSON.parse(line) as DataQuestion)
      .filter(({ id }) => relevant.has(id)),
    relevant,
  };
}

/** A fixed part: some questions, all documents that answer them, and others that do not. */
export function sampleOf(set: DataSet, limits: { questions: number; distractors: number }): DataSet {
  const questions = byHash(set.questions).slice(0, limits.questions);
  const wanted = new Set(questions.flatMap(({ id }) => [...set.relevant.get(id)!.keys()]));
  const distractors = byHash(set.documents.filter(({ id }) => !wanted.has(id))).slice(0, limits.distractors);
  const documents = [...set.documents.filter(({ id }) => wanted.has(id)), ...distractors];
  return { ...set, name: `${set.name}-sample`, documents, questions };
}

/** In an order that has nothing to do with the content and is the same everywhere. */
function byHash<T extends { id: string }>(all: readonly T[]): T[] {
  const hashes = new Map(all.map(({ id }) => [id, createHash('sha1').update(id).digest('hex')]));
  return [...all].sort((a, b) => (hashes.get(a.id)! < hashes.get(b.id)! ? -1 : 1));
}
