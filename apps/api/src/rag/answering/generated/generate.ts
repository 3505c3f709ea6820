import { counter } from '#libs/observability';
import { reasonOf } from '../../providers/provider-failure.js';
import type { TokenUsage } from '../../providers/provider.js';
import type { AnswerPiece } from '../answer-pieces.js';
import type { CitedAnswer } from './cited-answer.js';
import { meteredCall, type MeteredCall } from './metered-call.js';
import { type CitablePassage, promptFor } from './prompt.js';

const markers = counter({
  name: 'navigator_citations_dropped_total',
  help: 'Markers of models that name no passage (unknown) or one that does not support the claim (unsupported)',
  labelNames: ['model', 'reason'],
});
const sentences = counter({
  name: 'navigator_answer_sentences_dropped_total',
  help: 'Sentences of models that were left out because no passage supports them',
  labelNames: ['model'],
});

/** The model finished and said nothing that its passages support. */
export class UnusableAnswer extends Error {
  constructor(model: string) {
    super(`${model} wrote nothing that its passages support`);
    this.name = 'UnusableAnswer';
  }
}

export interface Generation extends Omit<MeteredCall, 'options'> {
  question: string;
  /** Tokens that the model may write. */
  maxTokens: number;
  /** Is written into, so that its reader has what there is when the model breaks off. The model reads its passages. */
  draft: CitedAnswer;
}

/**
 * Lets a model write under its policy, from the first token to the last, and gives out what stands of it. While nothing
 * of it stands yet, it is asked once more after an answer that could not be read, and with half of the passages when
 * they were too many for it.
 *
 * @returns what it cost, if the provider says
 * @throws UnusableAnswer, BudgetExhausted, and whatever policy and adapter throw
 */
export async function* generate(
  generation: Generation,
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece, TokenUsage | null> {
  const { draft } = generation;
  try {
    return yield* ask(generation, draft.passages, signal);
  } catch (error) {
    const passages = passagesForAnother(error, draft.passages);
    if (!passages || draft.text !== '' || signal.aborted) throw error;
    draft.restart();
    return yield* ask(generation, passages, signal);
  }
}

/** With what to ask again after this failure; undefined when that would not help. */
function passagesForAnother(
  error: unknown,
  passages: readonly CitablePassage[],
): readonly CitablePassage[] | undefined {
  const reason = reasonOf(error);
  if (reason === 'malformed') return passages;
  // The best stand first, and keep their numbers.
  if (reason === 'context-too-long' && passages.length > 1)
    return passages.slice(0, Math.ceil(passages.length / 2));
  return undefined;
}

async function* ask(
  generation: Generation,
  passages: readonly CitablePassage[],
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece, TokenUsage | null> {
  const { model, question, maxTokens, draft } = generation;
  const request = { messages: promptFor(question, passages), maxTokens };
  const call = { ...generation, options: { operation: 'chat' } };
  let usage: TokenUsage | null = null;
  let isCut = false;
  for await (const event of meteredCall(call, request, signal)) {
    if (event.type === 'text') yield* draft.push(event.text);
    else {
      usage = event.usage;
      isCut = event.finishReason === 'length';
    }
  }
  yield* draft.finish({ isCut });
  countDropped(model.name, draft);
  if (draft.outcome === 'unusable') throw new UnusableAnswer(model.name);
  return usage;
}

function countDropped(model: string, { dropped }: CitedAnswer): void {
  markers.inc({ model, reason: 'unknown' }, dropped.unknown);
  markers.inc({ model, reason: 'unsupported' }, dropped.unsupported);
  sentences.inc({ model }, dropped.sentences);
}
