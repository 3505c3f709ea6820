import { DependencyTimeout } from '#libs/errors';
import { counter, histogram } from '#libs/observability';
import type { Policy } from '#libs/resilience';
import { reasonOf } from '../../providers/provider-failure.js';
import type { ChatModel, ChatRequest, TokenUsage } from '../../providers/provider.js';
import type { AnswerPiece } from '../answer-pieces.js';
import type { CitedAnswer } from './cited-answer.js';
import { BudgetExhausted, type ModelBudget, tokensIn } from './model-budget.js';
import { type CitablePassage, promptFor } from './prompt.js';

const firstTokens = histogram({
  name: 'navigator_model_first_token_seconds',
  help: 'Time from asking a model to its first token',
  labelNames: ['model'],
});
const tokens = counter({
  name: 'navigator_model_tokens_total',
  help: 'Tokens that models read (input) and wrote (output)',
  labelNames: ['model', 'direction'],
});
const failures = counter({
  name: 'navigator_model_failures_total',
  help: 'Calls of models that failed, or whose answer was cut off (length), by what went wrong',
  labelNames: ['model', 'reason'],
});
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

export interface Generation {
  model: ChatModel;
  policy: Pick<Policy, 'stream'>;
  question: string;
  /** Tokens that the model may write. */
  maxTokens: number;
  /** Is written into, so that its reader has what there is when the model breaks off. The model reads its passages. */
  draft: CitedAnswer;
  /** Whose tokens are used. */
  tenantId: string;
  budget: Pick<ModelBudget, 'reserve'>;
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
  const { model, question, maxTokens, draft, tenantId, budget } = generation;
  const request = { messages: promptFor(question, passages), maxTokens };
  const inputTokens = tokensIn(request.messages.reduce((sum, { content }) => sum + content.length, 0));
  const reservation = await budget.reserve(tenantId, inputTokens + maxTokens, signal);
  if (reservation === 'exhausted') throw new BudgetExhausted();

  const call: Call = { isMade: false, writtenChars: 0, usage: null };
  try {
    yield* write(generation, request, call, signal);
  } catch (error) {
    const reason = failureOf(error);
    // Who says no at once, or was not asked after all, has read nothing; who was left in the middle may have.
    const isRefused = !signal.aborted && call.writtenChars === 0 && (!reason || REFUSALS.has(reason));
    if (isRefused) call.isMade = false;
    if (reason && !signal.aborted) failures.inc({ model: model.name, reason });
    throw error;
  } finally {
    const estimate = call.isMade ? inputTokens + tokensIn(call.writtenChars) : 0;
    await reservation.settle(call.usage ? call.usage.inputTokens + call.usage.outputTokens : estimate);
  }
  count(model.name, draft, call.usage);
  if (draft.outcome === 'unusable') throw new UnusableAnswer(model.name);
  return call.usage;
}

/** One call of a model, as far as it got. */
interface Call {
  /** The policy let it through. */
  isMade: boolean;
  writtenChars: number;
  usage: TokenUsage | null;
}

async function* write(
  { model, policy, draft, tenantId }: Generation,
  request: ChatRequest,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece> {
  const open = (attempt: AbortSignal) => {
    call.isMade = true;
    return model.stream(request, attempt);
  };
  let stop: (() => unknown) | undefined = firstTokens.startTimer({ model: model.name });
  let isCut = false;
  for await (const event of policy.stream(open, { signal, tenantId, operation: 'chat' })) {
    stop?.();
    stop = undefined;
    if (event.type === 'text') {
      call.writtenChars += event.text.length;
      yield* draft.push(event.text);
    } else {
      call.usage = event.usage;
      isCut = event.finishReason === 'length';
    }
  }
  if (isCut) failures.inc({ model: model.name, reason: 'length' });
  yield* draft.finish({ isCut });
}

/** What the model did wrong; nothing when it was not asked at all, because its circuit is open. */
const failureOf = (error: unknown): string | undefined =>
  reasonOf(error) ?? (error instanceof DependencyTimeout ? 'first-token-timeout' : undefined);

const REFUSALS = new Set(['overloaded', 'fatal', 'rejected', 'context-too-long']);

function count(model: string, { dropped }: CitedAnswer, usage: TokenUsage | null): void {
  markers.inc({ model, reason: 'unknown' }, dropped.unknown);
  markers.inc({ model, reason: 'unsupported' }, dropped.unsupported);
  sentences.inc({ model }, dropped.sentences);
  if (!usage) return;
  tokens.inc({ model, direction: 'input' }, usage.inputTokens);
  tokens.inc({ model, direction: 'output' }, usage.outputTokens);
}
