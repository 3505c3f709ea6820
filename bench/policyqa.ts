/**
 * A sanity check on long legal prose: how often the extractive quotes overlap the gold answer spans of PolicyQA
 * (questions asked within one privacy policy). `node dist/bench/policyqa.js [number of questions]`.
 */
import { existsSync, readFileSync } from 'node:fs';
import {
  extractAnswer,
  quotesOf,
  rankUnits,
} from '../apps/api/src/rag/answering/extractive/extract-answer.js';
import { localRetriever, type LocalRetriever } from './local-passages.js';
import { SBC_DEVELOPMENT_QUESTIONS } from './sbc-development.js';

const FOLDER = '../shared/data/retrieval/policyqa';
const RETRIEVED = 40;

interface PolicyQuestion {
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

const policyQuestions = () => linesOf<PolicyQuestion>('queries.jsonl');

/** One retriever for each policy. */
function policyRetrievers(): Map<string, LocalRetriever> {
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
function goldHits({ text, answers }: PolicyQuestion, retrieve: LocalRetriever): boolean[] {
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
  const judged = questions.map((question) => {
    const retrieve = retrievers.get(question.scope)!;
    const { grounding } = extractAnswer({
      question: question.text,
      passages: retrieve(question.text, RETRIEVED),
    });
    return { hits: goldHits(question, retrieve), grounding };
  });
  const share = (part: unknown[], whole: unknown[]) => (part.length / Math.max(1, whole.length)).toFixed(3);
  const right = judged.filter(({ hits }) => hits[0]);
  console.log(`policyqa, ${questions.length} questions within their policy:`);
  console.log(`  the top quote overlaps a gold span: ${share(right, judged)}`);
  console.log(
    `  one of the top three does: ${share(
      judged.filter(({ hits }) => hits.some(Boolean)),
      judged,
    )}`,
  );
  const sure = judged.filter(({ grounding }) => grounding >= 0.5);
  console.log(
    `  answered as sure: ${share(sure, judged)}, of which right ${share(
      sure.filter(({ hits }) => hits[0]),
      sure,
    )}`,
  );

  const foreign = [...retrievers.values()].flatMap((retrieve) =>
    SBC_DEVELOPMENT_QUESTIONS.map(({ question }) =>
      extractAnswer({ question, passages: retrieve(question, RETRIEVED) }),
    ),
  );
  const refused = foreign.filter(({ notInDocuments }) => notInDocuments);
  console.log(
    `questions about a health plan, asked of the ${retrievers.size} privacy policies: ${share(refused, foreign)} refused`,
  );
}

if (existsSync(FOLDER)) run(Number(process.argv[2] ?? 1_000));
else console.log(`Skipped: ${FOLDER} is not there.`);
