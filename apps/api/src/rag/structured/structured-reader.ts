import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { allowsModel, type TenantRulesSource } from '#libs/auth';
import { DependencyTimeout, DomainError, TransientFailure } from '#libs/errors';
import { reportBug } from '#libs/observability';
import { deadlineSignal, type PolicyRegistry } from '#libs/resilience';
import {
  BudgetExhausted,
  type CitablePassage,
  meteredCall,
  type ModelBudget,
  passagesAsData,
} from '../answering/generated/index.js';
import { ModelRejected, reasonOf } from '../providers/provider-failure.js';
import type { ChatModel, ChatRequest } from '../providers/provider.js';

/** What is to be read out of passages, and in which form it is wanted. */
export interface ReadingRequest<T> {
  tenantId: string;
  /** What to look for. Nothing in here is secret. */
  instructions: string;
  /** The model knows them as 1, 2, 3 … in their order. */
  passages: readonly CitablePassage[];
  /** Letters, digits and underscores. */
  name: string;
  /** What is asked for: objects with no optional properties, without bounds on numbers and lists. Providers know no others. */
  form: z.ZodType;
  /** What is taken. */
  schema: z.ZodType<T>;
  /** Tokens that the model may write. */
  maxTokens: number;
}

export type ReadingFailure =
  | 'timeout'
  /** No model can be reached, or each has too much to do. */
  | 'unavailable'
  /** The models say no to this request, or the tenant lets none of them read. */
  | 'rejected'
  /** What they wrote does not have the form that was wanted. */
  | 'unusable'
  /** The tenant's tokens are used up. */
  | 'budget-exhausted'
  /** Something that should never happen; it is reported. */
  | 'failed';

export type ReadingResult<T> = { model: string; value: T } | { failure: ReadingFailure };

/**
 * Lets a chat model read passages and fill in a form: the models in order of preference, each under its policy and
 * within the tenant's tokens, all together within a time. The model has no tools, and what it writes is checked here for
 * its form only: whoever asks must check that it stands in the passages.
 */
export class StructuredReader {
  private readonly logger = new Logger(StructuredReader.name);

  constructor(
    private readonly chatModels: readonly ChatModel[],
    private readonly policies: Pick<PolicyRegistry, 'policy'>,
    private readonly budget: Pick<ModelBudget, 'reserve'>,
    private readonly rules: Pick<TenantRulesSource, 'of'> = { of: () => Promise.resolve({}) },
  ) {}

  /** Names, in order of preference. */
  get models(): string[] {
    return this.chatModels.map(({ name }) => name);
  }

  /**
   * @param alive is called whenever a model gets on
   * @throws only the signal's reason after an abort
   */
  async read<T>(
    request: ReadingRequest<T>,
    { timeoutMs, alive }: { timeoutMs: number; alive?: () => void },
    signal: AbortSignal,
  ): Promise<ReadingResult<T>> {
    const rules = await this.rules.of(request.tenantId);
    const allowed = this.chatModels.filter(({ name }) => allowsModel(rules, name));
    const limit = deadlineSignal(timeoutMs, { parent: signal });
    let failure: ReadingFailure = allowed.length < this.chatModels.length ? 'rejected' : 'unavailable';
    try {
      for (const model of allowed) {
        try {
          return { model: model.name, value: await this.ask(model, request, limit.signal, alive) };
        } catch (error) {
          signal.throwIfAborted();
          failure = limit.signal.aborted ? 'timeout' : kindOf(error);
          if (failure === 'failed') reportBug(error);
          this.logger.warn({ model: model.name, reason: failure }, 'a model could not read passages');
          if (failure === 'timeout' && limit.signal.aborted) break;
          if (failure === 'budget-exhausted') break;
        }
      }
      return { failure };
    } finally {
      limit.clear();
    }
  }

  private async ask<T>(
    model: ChatModel,
    request: ReadingRequest<T>,
    signal: AbortSignal,
    alive?: () => void,
  ): Promise<T> {
    const { tenantId, schema } = request;
    const policy = this.policies.policy(`model:${model.name}`);
    // Nobody waits for it at this moment, unlike for an answer.
    const options = { operation: 'read', priority: 'sheddable', idempotent: true } as const;
    const call = { model, policy, tenantId, budget: this.budget, options };
    let text = '';
    for await (const event of meteredCall(call, toChatRequest(request), signal)) {
      alive?.();
      if (event.type === 'text') text += event.text;
    }
    const parsed = schema.safeParse(jsonIn(text));
    if (!parsed.success) throw new UnusableReading(model.name);
    return parsed.data;
  }
}

/** Changes with whatever the model would be told: the instructions, the form, or the passages. */
export function readingDigest(request: ReadingRequest<unknown>): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(toChatRequest(request)))
    .digest();
}

function toChatRequest({
  instructions,
  passages,
  name,
  form,
  maxTokens,
}: ReadingRequest<unknown>): ChatRequest {
  const { $schema: _, ...json } = z.toJSONSchema(form);
  return {
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: passagesAsData(passages) },
    ],
    maxTokens,
    schema: { name, schema: json },
  };
}

/** Models that promise no form like to put their JSON in a block of code. */
function jsonIn(text: string): unknown {
  const [, block = text] = /^\s*```(?:json)?\s*\n([^]*?)\n\s*```\s*$/.exec(text) ?? [];
  try {
    return JSON.parse(block);
  } catch {
    return undefined;
  }
}

class UnusableReading extends Error {
  constructor(model: string) {
    super(`${model} wrote something of another form than was wanted`);
    this.name = 'UnusableReading';
  }
}

function kindOf(error: unknown): ReadingFailure {
  if (error instanceof BudgetExhausted) return 'budget-exhausted';
  if (error instanceof UnusableReading) return 'unusable';
  if (error instanceof ModelRejected) return 'rejected';
  if (error instanceof DependencyTimeout || reasonOf(error)?.endsWith('timeout')) return 'timeout';
  return error instanceof DomainError || error instanceof TransientFailure ? 'unavailable' : 'failed';
}
