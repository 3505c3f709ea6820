/**
 * Grades the extractive answers to questions about the model Summary of Benefits and Coverage.
 * `npm run eval:sbc` (or `node dist/bench/sbc.js [released|held-out|development] [--answers]`): prints a table and
 * exits 1 below 16 right answers of 20 or with an unanswerable question of the released set that is not refused.
 */
import { existsSync } from 'node:fs';
import { extractAnswer } from '../apps/api/src/rag/answering/extractive/index.js';
import { grade, type Graded } from './grade.js';
import { localRetriever, passagesOfFile } from './local-passages.js';
import { SBC_DEVELOPMENT_QUESTIONS } from './sbc-development.js';
import { SBC_HELD_OUT_QUESTIONS } from './sbc-held-out.js';
import { SBC_QUESTIONS, type GradedQuestion } from './sbc-questions.js';

const FORM = '../shared/data/documents/insurance/sbc.pdf';
const REQUIRED_RIGHT = 16;

const sets: Record<string, GradedQuestion[]> = {
  released: SBC_QUESTIONS,
  'held-out': SBC_HELD_OUT_QUESTIONS,
  development: SBC_DEVELOPMENT_QUESTIONS,
};
const [name = 'released', ...flags] = process.argv.slice(2);
if (existsSync(FORM)) await run(sets[name] ?? []);
else console.log(`Skipped: ${FORM} is not there.`);

async function run(questions: GradedQuestion[]): Promise<void> {
  const retrieve = localRetriever(
    await passagesOfFile(FORM, 'application/pdf'),
    'Summary of Benefits and Coverage',
  );
  const graded = questions.map((question) => {
    const passages = retrieve(question.question, 200);
    return grade(question, extractAnswer({ question: question.question, passages }), passages);
  });
  for (const one of graded) print(one);
  const answered = graded.filter(({ question }) => question.expected);
  const unanswered = graded.filter(({ question }) => !question.expected);
  const right = answered.filter(({ passed }) => passed).length;
  const among = answered.filter(({ verdict }) => verdict === 'among').length;
  const refused = unanswered.filter(({ passed }) => passed).length;
  console.log(
    `\n${name}: ${right} of ${answered.length} right (${among} more among three quotes), ${refused} of ${unanswered.length} refused.`,
  );
  if (name === 'released' && (right < REQUIRED_RIGHT || refused < unanswered.length)) process.exitCode = 1;
}

function print({ question, answer, verdict, passed }: Graded): void {
  const first = answer.citations[0];
  const quote = first
    ? `p.${first.page} ${answer.citations.map((it) => `"${it.quote.slice(0, 60)}"`).join(' / ')}`
    : '–';
  const mark = passed ? 'ok  ' : 'FAIL';
  console.log(
    `${mark} ${answer.grounding.toFixed(2)} ${verdict.padEnd(7)} ${question.question.slice(0, 64).padEnd(64)} ${quote}`,
  );
  if (flags.includes('--answers')) console.log(`${answer.text}\n`);
}
