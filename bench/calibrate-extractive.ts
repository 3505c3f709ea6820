/**
 * Fits the weights of the extractive answerer's grounding: a logistic regression on what `evidenceOf` sees, for
 * whether the best unit is the right answer, on the development questions. Prints how well weights fitted on one
 * document do on the other, and then the weights fitted on both, to be copied into `abstain.ts`.
 * `node dist/bench/calibrate-extractive.js`
 */
import { evidenceOf, type Evidence } from '../apps/api/src/rag/answering/extractive/abstain.js';
import { composeAnswer } from '../apps/api/src/rag/answering/extractive/compose.js';
import { quotesOf, rankUnits } from '../apps/api/src/rag/answering/extractive/extract-answer.js';
import { BOOKLET_DEVELOPMENT_QUESTIONS } from './booklet-development.js';
import { grade } from './grade.js';
import type { GradedQuestion } from './graded-question.js';
import { localRetriever, passagesOfFile } from './local-passages.js';
import { SBC_DEVELOPMENT_QUESTIONS } from './sbc-development.js';

interface Example {
  question: string;
  evidence: Evidence;
  right: boolean;
  answerable: boolean;
}

const RETRIEVED = 60;
/** Keeps the weights small: there are few examples. */
const RIDGE = 0.005;

const sbc = await examplesOf('../shared/data/documents/insurance/sbc.pdf', SBC_DEVELOPMENT_QUESTIONS);
const booklet = await examplesOf('demo/samples/benefits-booklet.pdf', BOOKLET_DEVELOPMENT_QUESTIONS);
report('fitted on the form, seen on the booklet', fit(sbc), booklet);
report('fitted on the booklet, seen on the form', fit(booklet), sbc);
const both = fit([...sbc, ...booklet]);
report('fitted and seen on both', both, [...sbc, ...booklet]);
console.log(both);
if (process.argv.includes('--errors')) printErrors(both, [...sbc, ...booklet]);

async function examplesOf(file: string, questions: GradedQuestion[]): Promise<Example[]> {
  const retrieve = localRetriever(await passagesOfFile(file, 'application/pdf'), file.replace(/^.*\//, ''));
  return questions.flatMap((question) => {
    const passages = retrieve(question.question, RETRIEVED);
    const { asked, concepts, ranked } = rankUnits(question.question, passages);
    // A unit without the kind of thing that was asked for is judged by a rule of its own.
    if (!ranked[0] || ranked[0].lacksKind) return [];
    const composed = composeAnswer(quotesOf(asked, concepts, ranked[0]));
    const { verdict } = grade(question, { ...composed, notInDocuments: false, grounding: 1 }, passages);
    return [
      {
        question: question.question,
        evidence: evidenceOf(concepts, ranked),
        right: verdict === 'right',
        answerable: question.expected !== null,
      },
    ];
  });
}

function fit(examples: Example[]): Record<string, number> {
  const keys = Object.keys(examples[0]!.evidence) as Array<keyof Evidence>;
  const weights: Record<string, number> = Object.fromEntries(['bias', ...keys].map((key) => [key, 0]));
  const rate = 0.5;
  for (let step = 0; step < 20_000; step += 1) {
    const gradient: Record<string, number> = {};
    for (const { evidence, right } of examples) {
      const error = (probability(weights, evidence) - (right ? 1 : 0)) / examples.length;
      gradient.bias = (gradient.bias ?? 0) + error;
      for (const key of keys) gradient[key] = (gradient[key] ?? 0) + error * evidence[key];
    }
    weights.bias! -= rate * gradient.bias!;
    for (const key of keys) weights[key]! -= rate * (gradient[key]! + RIDGE * weights[key]!);
  }
  return Object.fromEntries(
    Object.entries(weights).map(([key, value]) => [key, Math.round(value * 100) / 100]),
  );
}

function probability(weights: Record<string, number>, evidence: Evidence): number {
  const terms = Object.entries(evidence).map(([key, value]) => weights[key]! * value);
  return 1 / (1 + Math.exp(-terms.reduce((sum, term) => sum + term, weights.bias!)));
}

/** For some thresholds: of the answerable questions the share answered right and wrong, of the others the refused. */
function report(name: string, weights: Record<string, number>, examples: Example[]): void {
  const scored = examples.map((example) => ({ ...example, sure: probability(weights, example.evidence) }));
  const brier =
    scored.reduce((sum, { sure, right }) => sum + (sure - (right ? 1 : 0)) ** 2, 0) / scored.length;
  console.log(`\n${name}: ${examples.length} questions, Brier score ${brier.toFixed(3)}`);
  for (const threshold of [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]) {
    const answerable = scored.filter((example) => example.answerable);
    const others = scored.filter((example) => !example.answerable);
    const given = answerable.filter(({ sure }) => sure >= threshold);
    const percent = (part: unknown[], whole: unknown[]) =>
      `${Math.round((100 * part.length) / whole.length)} %`;
    console.log(
      `  from ${threshold}: right ${percent(
        given.filter(({ right }) => right),
        answerable,
      )}, ` +
        `wrong ${percent(
          given.filter(({ right }) => !right),
          answerable,
        )}, ` +
        `unanswerable refused ${percent(
          others.filter(({ sure }) => sure < threshold),
          others,
        )}`,
    );
  }
}

/** The examples on the wrong side of one half. */
function printErrors(weights: Record<string, number>, examples: Example[]): void {
  for (const { question, evidence, right } of examples) {
    const sure = probability(weights, evidence);
    if (sure >= 0.5 === right) continue;
    const seen = Object.entries(evidence).map(([key, value]) => `${key} ${value.toFixed(2)}`);
    console.log(`${sure.toFixed(2)} ${right ? 'right' : 'WRONG'} ${question} (${seen.join(', ')})`);
  }
}
