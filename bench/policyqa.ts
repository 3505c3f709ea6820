/**
 * A sanity check on long legal prose: how often the extractive quotes overlap the gold answer spans of PolicyQA
 * (questions asked within one privacy policy). `node dist/bench/policyqa.js [number of questions]`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { quotesOf, rankUnits } from '../apps/api/src/rag/answering/extractive/extract-answer.js';
import { localRetriever, type LocalRetriever } from './local-passages.js';

const FOLDER = '../shared/data/retrieval/policyqa';
const RETRIEVED = 40;

export interface PolicyQuestion {
  text: string;
  scope: string;
  answers: Array<{ context: string; text: string; start: number }>;
}

interface Segment {
  id: string;
  title: string;
  text: string;
  scope: string;
}

const linesOf = <T>(file: string) =>
  readFileSync(`${FOLDER}/${file}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

export const policyQuestions = () => linesOf<PolicyQuestion>('queries.jsonl');

/** One retriever for each policy. */
export function policyRetrievers(): Map<string, LocalRetriever> {
  const policies = Map.groupBy(linesOf<Segment>('corpus.jsonl'), ({ scope }) => scope);
  return new Map(
    [...policies].map(([scope, segments]) => [
      scope,
      localRetriever(
        segments.map(({ id, text }, ordinal) => ({
          id,
          documentId: scope,
          ordinal,
          kind: 'prose',
          text,
          headingPath: [],
          page: null,
          box: null,
          row: null,
        })),
        scope,
      ),
    ]),
  );
}

/** For each of the best three quotes: whether it overlaps a gold span. */
export function goldHits({ text, answers }: PolicyQuestion, retrieve: LocalRetriever): boolean[] {
  const { asked, concepts, ranked } = rankUnits(text, retrieve(text, RETRIEVED));
  return ranked.slice(0, 3).map((scored) => {
    const { passage, span } = quotesOf(asked, concepts, scored)[0]!;
    return answers.some(
      (gold) =>
        gold.context === passage.id && gold.start < span.end && span.start < gold.start + gold.text.length,
    );
  });
}

function run(limit: number): void {
  const retrievers = policyRetrievers();
  const questions = policyQuestions().slice(0, limit);
  const hits = questions.map((question) => goldHits(question, retrievers.get(question.scope)!));
  const share = (count: number) => (count / questions.length).toFixed(3);
  console.log(
    `policyqa: ${questions.length} questions, top quote overlaps gold ${share(hits.filter(([first]) => first).length)}, ` +
      `one of the top three ${share(hits.filter((three) => three.some(Boolean)).length)}`,
  );
}

if (process.argv[1]?.endsWith('policyqa.js')) {
  if (existsSync(FOLDER)) run(Number(process.argv[2] ?? 1_000));
  else console.log(`Skipped: ${FOLDER} is not there.`);
}
