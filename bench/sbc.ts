/**
 * Grades the extractive answers to questions about the model Summary of Benefits and Coverage, through the real parser.
 * `npm run eval:sbc -- [released|held-out|development|booklet] [--product] [--answers]`: with `--product` the whole
 * program is asked over HTTP, otherwise the answerer alone. Prints a table and exits 1 below 16 right answers of the
 * released 20, or when one of its 3 unanswerable questions is not refused.
 */
import { existsSync } from 'node:fs';
import { extractAnswer } from '../apps/api/src/rag/answering/extractive/index.js';
import { passageId } from '../apps/api/src/rag/passages/passage.store.js';
import { askProduct } from './ask-product.js';
import { BOOKLET_DEVELOPMENT_QUESTIONS } from './booklet-development.js';
import { grade, type Graded } from './grade.js';
import type { GradedQuestion } from './graded-question.js';
import { localRetriever, passagesOfFile } from './local-passages.js';
import { SBC_DEVELOPMENT_QUESTIONS } from './sbc-development.js';
import { SBC_HELD_OUT_QUESTIONS } from './sbc-held-out.js';
import { SBC_QUESTIONS } from './sbc-questions.js';

const FORM = '../shared/data/documents/insurance/sbc.pdf';
const BOOKLET = 'demo/samples/benefits-booklet.pdf';
const REQUIRED_RIGHT = 16;
/** As many passages as the product retrieves for an answer. */
const RETRIEVED = 60;

const sets: Record<string, { file: string; questions: GradedQuestion[] }> = {
  released: { file: FORM, questions: SBC_QUESTIONS },
  'held-out': { file: FORM, questions: SBC_HELD_OUT_QUESTIONS },
  development: { file: FORM, questions: SBC_DEVELOPMENT_QUESTIONS },
  booklet: { file: BOOKLET, questions: BOOKLET_DEVELOPMENT_QUESTIONS },
};

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const name = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? 'released';
const chosen = sets[name];
if (!chosen) throw new Error(`There is no set "${name}"; there are ${Object.keys(sets).join(', ')}.`);
if (existsSync(chosen.file)) await run(chosen.file, chosen.questions);
else console.log(`Skipped: ${chosen.file} is not there.`);

async function run(file: string, questions: GradedQuestion[]): Promise<void> {
  const graded = flags.includes('--product')
    ? await gradeProduct(file, questions)
    : await gradeLocally(file, questions);
  for (const one of graded) print(one);
  const answered = graded.filter(({ question }) => question.expected);
  const unanswered = graded.filter(({ question }) => !question.expected);
  const count = (some: Graded[], verdict: string) => some.filter((one) => one.verdict === verdict).length;
  const right = count(answered, 'right');
  const refused = count(unanswered, 'refused');
  console.log(
    `\n${name}: ${right} of ${answered.length} right, ${count(answered, 'among')} more among three quotes, ` +
      `${count(answered, 'wrong')} wrong, ${count(answered, 'refused')} refused; ` +
      `of ${unanswered.length} unanswerable ${refused} refused.`,
  );
  if (name === 'released' && (right < REQUIRED_RIGHT || refused < unanswered.length)) process.exitCode = 1;
}

/** The answerer alone, on passages found by their words. */
async function gradeLocally(file: string, questions: GradedQuestion[]): Promise<Graded[]> {
  const retrieve = localRetriever(await passagesOfFile(file, 'application/pdf'), file.replace(/^.*\//, ''));
  return questions.map((question) => {
    const passages = retrieve(question.question, RETRIEVED);
    return grade(question, extractAnswer({ question: question.question, passages }), passages);
  });
}

/** The whole program, asked over HTTP. */
async function gradeProduct(file: string, questions: GradedQuestion[]): Promise<Graded[]> {
  const { documentId, answers } = await askProduct(
    file,
    questions.map(({ question }) => question),
  );
  const passages = (await passagesOfFile(file, 'application/pdf')).map((passage) => ({
    ...passage,
    id: passageId(documentId, passage.ordinal),
  }));
  return questions.map((question, i) => grade(question, answers[i]!, passages));
}

function print({ question, answer, verdict, passed }: Graded): void {
  const quotes = answer.citations.map(({ page, quote }) => `p.${page} "${quote.slice(0, 60)}"`).join(' / ');
  const mark = passed ? 'ok  ' : 'FAIL';
  const asked = question.question.slice(0, 64).padEnd(64);
  console.log(`${mark} ${answer.grounding.toFixed(2)} ${verdict.padEnd(7)} ${asked} ${quotes || '–'}`);
  if (flags.includes('--answers')) console.log(`${answer.text}\n`);
}
