import { DependencyTimeout } from '#libs/errors';
import { counter, histogram } from '#libs/observability';
import type { CallOptions, Policy } from '#libs/resilience';
import { reasonOf } from '../../providers/provider-failure.js';
import type { ChatEvent, ChatModel, ChatRequest, TokenUsage } from '../../providers/provider.js';
import { BudgetExhausted, type ModelBudget, tokensIn } from './model-budget.js';

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

/** Which model is called, for whom, and what for. */
export interface MeteredCall {
  model: ChatModel;
  policy: Pick<Policy, 'stream'>;
  /** Whose tokens are used. */
  tenantId: string;
  budget: Pick<ModelBudget, 'reserve'>;
  options: Pick<CallOptions, 'operation' | 'priority' | 'idempotent'>;
}

/**
 * One call of a model under its policy, from the first token to the last, within the tokens that its tenant may use.
 *
 * @throws BudgetExhausted, and whatever policy and adapter throw
 */
export async function* meteredCall(
  { model, policy, tenantId, budget, options }: MeteredCall,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const inputTokens = tokensIn(request.messages.reduce((sum, { content }) => sum + content.length, 0));
  const reservation = await budget.reserve(tenantId, inputTokens + request.maxTokens, signal);
  if (reservation === 'exhausted') throw new BudgetExhausted();

  const call = new Call(model.name);
  const open = (attempt: AbortSignal) => {
    call.isMade = true;
    return model.stream(request, attempt);
  };
  try {
    for await (const event of policy.stream(open, { signal, tenantId, ...options })) {
      call.note(event);
      yield event;
    }
  } catch (error) {
    const reason = failureOf(error);
    // Who says no at once, or was not asked after all, has read nothing; who was left in the middle may have.
    const isRefused = !signal.aborted && call.writtenChars === 0 && (!reason || REFUSALS.has(reason));
    if (isRefused) call.isMade = false;
    if (reason && !signal.aborted) failures.inc({ model: model.name, reason });
    throw error;
  } finally {
    const { usage } = call;
    const estimate = call.isMade ? inputTokens + tokensIn(call.writtenChars) : 0;
    await reservation.settle(usage ? usage.inputTokens + usage.outputTokens : estimate);
  }
}

/** One call of a model, as far as it got. */
class Call {
  /** The policy let it through. */
  isMade = false;
  writtenChars = 0;
  usage: TokenUsage | null = null;
  private firstToken: (() => unknown) | undefined;

  constructor(private readonly model: string) {
    this.firstToken = firstTokens.startTimer({ model });
  }

  note(event: ChatEvent): void {
    this.firstToken?.();
    this.firstToken = undefined;
    if (event.type === 'text') {
      this.writtenChars += event.text.length;
      return;
    }
    this.usage = event.usage;
    if (event.finishReason === 'length') failures.inc({ model: this.model, reason: 'length' });
    if (!event.usage) return;
    tokens.inc({ model: this.model, direction: 'input' }, event.usage.inputTokens);
    tokens.inc({ model: this.model, direction: 'output' }, event.usage.outputTokens);
  }
}

/** What the model did wrong; nothing when it was not asked at all, because its circuit is open. */
const failureOf = (error: unknown): string | undefined =>
  reasonOf(error) ?? (error instanceof DependencyTimeout ? 'first-token-timeout' : undefined);

const REFUSALS = new Set(['overloaded', 'fatal', 'rejected', 'context-too-long']);
