import { LEVELS } from '../load/history.js';
import { QUESTIONS } from '../load/operations.js';
import { levelOf } from '../evidence.js';
import type { Check } from './check.js';

/** The program counted as many answers of each level as clients were given, give or take those whose answer never arrived. */
export const levels: Check = async ({ history, evidence }) => {
  const questions = history.operations.filter(({ kind }) => QUESTIONS.has(kind));
  const unknown = questions.filter(({ outcome }) => outcome === 'info').length;
  const wrong: string[] = [];
  for (const level of LEVELS.slice(0, 3)) {
    const counted = evidence.growth('navigator_answers_total', { level });
    // A program that was started again began to count anew.
    if (counted === undefined) return [];
    const told = questions.filter(
      (question) => question.outcome === 'ok' && !question.replayed && levelOf(question) === level,
    ).length;
    if (counted < told || counted > told + unknown + refusedLate(questions, level))
      wrong.push(
        `the metrics count ${counted} ${level} answers, the clients ${told} (and ${unknown} unknown)`,
      );
  }
  return wrong;
};

/** An answer that was complete and could not be saved any more was counted and then refused. */
function refusedLate(questions: readonly { outcome: string; status?: number }[], _level: string): number {
  return questions.filter(({ outcome, status = 0 }) => outcome === 'fail' && status >= 500).length;
}
