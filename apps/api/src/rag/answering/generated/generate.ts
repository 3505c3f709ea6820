import { TransientFailure } from '#libs/errors';
import { counter, histogram } from '#libs/observability';
import type { Policy } from '#libs/resilience';
import type { ChatEvent, ChatModel, ChatRequest, TokenUsage } from '../../providers/provider.js';
import type { AnswerPiece } from '../answer-pieces.js';
import type { CitedAnswer } from './cited-answer.js';

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
  policy: Policy;
  request: ChatRequest;
  /** Is written into, so that its reader has what there is when the model breaks off. */
  draft: CitedAnswer;
}

/**
 * Lets a model write, and gives out what stands of it. Until its first token the model is under its policy, which
 * counts failures; afterwards the adapter's own limits hold.
 *
 * @returns what it cost, if the provider says
 * @throws UnusableAnswer, and whatever policy and adapter throw
 */
export async function* generate(
  { model, policy, request, draft }: Generation,
  signal: AbortSignal,
): AsyncGenerator<AnswerPiece, TokenUsage | null> {
  const stop = firstTokens.startTimer({ model: model.name });
  const events = await open(model, policy, request, signal);
  stop();

  let usage: TokenUsage | null = null;
  for await (const event of events) {
    if (event.type === 'text') yield* draft.push(event.text);
    else usage = event.usage;
  }
  yield* draft.finish();
  count(model.name, draft, usage);
  if (draft.outcome === 'unusable') throw new UnusableAnswer(model.name);
  return usage;
}

/** Waits for the first token, so that a model which does not even begin fails here. */
async function open(model: ChatModel, policy: Policy, request: ChatRequest, signal: AbortSignal) {
  return policy.execute(
    async (attempt) => {
      const events = model.stream(request, AbortSignal.any([attempt, signal]))[Symbol.asyncIterator]();
      const first = await events.next();
      if (first.done) throw new TransientFailure(`${model.name} sent nothing`);
      return continued(first.value, events);
    },
    { signal, operation: 'stream' },
  );
}

async function* continued(first: ChatEvent, rest: AsyncIterator<ChatEvent>): AsyncGenerator<ChatEvent> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function count(model: string, { dropped }: CitedAnswer, usage: TokenUsage | null): void {
  markers.inc({ model, reason: 'unknown' }, dropped.unknown);
  markers.inc({ model, reason: 'unsupported' }, dropped.unsupported);
  sentences.inc({ model }, dropped.sentences);
  if (!usage) return;
  tokens.inc({ model, direction: 'input' }, usage.inputTokens);
  tokens.inc({ model, direction: 'output' }, usage.outputTokens);
}
