import { QUESTIONS } from '../load/operations.js';
import type { Check } from './check.js';

const MOST = 1.2;
/** Below so many questions the ratio says nothing. */
const FEW = 10;

/** The first model was called 1.2 times at most for each question that a cache could not answer. */
export const amplification: Check = async ({ history, evidence }) => {
  const needed = history.operations.filter(
    ({ kind, phase, servedBy }) => QUESTIONS.has(kind) && phase !== 'steady' && servedBy !== 'cache',
  ).length;
  const ratio = evidence.upstreamCalls / needed;
  if (needed < FEW || ratio <= MOST) return [];
  return [`${evidence.upstreamCalls} calls to the model for ${needed} questions: ${ratio.toFixed(2)} each`];
};
