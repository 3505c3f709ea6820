import { leaveGate } from '#libs/http';
import { joinSignals, lastOf, type PolicyRegistry, SingleFlight } from '#libs/resilience';
import type { ChatModel } from '../providers/provider.js';
import type { Answer, AnswerEvent } from './answer.js';
import type { AnswerCache } from './answer-cache.js';
import type { AnswerPiece } from './answer-pieces.js';
import type { Asked } from './asked.js';
import { extractAnswer } from './extractive/index.js';
import { CitedAnswer, generate, type ModelBudget } from './generated/index.js';

/** An answer in a step's own words. */
export type Written = Pick<
  Answer,
  'text' | 'notInDocuments' | 'grounding' | 'citations' | 'usage' | 'isTruncated'
>;
export type OnTheWay = Extract<AnswerEvent, { type: 'search-results' }> | AnswerPiece;

/** Lets a model write the answer to a question from the passages found for it. */
export class ModelWriter {
  private readonly underWay = new SingleFlight<Written>();

  constructor(
    private readonly policies: Pick<PolicyRegistry, 'policy'>,
    private readonly budget: Pick<ModelBudget, 'reserve'>,
    private readonly cache: Pick<AnswerCache, 'keyFor' | 'findFresh'>,
    private readonly options: { maxTokens: number; modelsTimeoutMs: number },
  ) {}

  /**
   * @param live gives out the pieces as they are written; otherwise those who ask the same at the same moment share one
   * answer
   * @returns undefined when there is nothing to write from, or no time left
   */
  async *write(
    model: ChatModel,
    asked: Asked,
    { live }: { live: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<OnTheWay, Written | undefined> {
    const { hits } = await asked.find(signal);
    // Who may get no answer at all is told nothing before there is one.
    if (!asked.wantsLevel) yield* asked.tell();
    const limited = joinSignals(signal, asked.modelsLimit(this.options.modelsTimeoutMs));
    if (hits.length === 0 || limited.aborted) return undefined;
    // From here on it waits for the model, which has a limit of its own.
    leaveGate();
    if (live) return yield* toldFirst(asked, this.draft(model, asked, limited));
    const key = `${model.name} ${this.cache.keyFor(asked.request, asked.fingerprint)}`;
    return this.underWay.run(key, (shared) => this.writeOnce(model, asked, shared), limited);
  }

  /** Who was still searching when the others got their answer finds it where they left it. */
  private async writeOnce(model: ChatModel, asked: Asked, signal: AbortSignal): Promise<Written> {
    const kept = await this.cache.findFresh(asked.request, asked.fingerprint);
    return kept?.answer ?? lastOf(this.draft(model, asked, signal));
  }

  private async *draft(
    model: ChatModel,
    asked: Asked,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPiece, Written> {
    const { question, reader } = asked.request;
    const draft = new CitedAnswer(asked.best);
    const policy = this.policies.policy(`model:${model.name}`);
    const { budget } = this;
    const { maxTokens } = this.options;
    const { tenantId } = reader;
    const usage = yield* generate({ model, policy, question, maxTokens, draft, tenantId, budget }, signal);
    return { ...textOf(draft), usage };
  }
}

/** What is written, after where it was looked for. */
async function* toldFirst<R>(
  asked: Asked,
  writing: AsyncGenerator<AnswerPiece, R>,
): AsyncGenerator<OnTheWay, R> {
  let step = await writing.next();
  yield* asked.tell();
  for (; !step.done; step = await writing.next()) yield step.value;
  return step.value;
}

function textOf(draft: CitedAnswer): Omit<Written, 'usage'> {
  if (draft.outcome === 'not-in-documents') return extractAnswer({ question: '', passages: [] });
  const { text, grounding, citations, isTruncated } = draft;
  return { text, notInDocuments: false, grounding, citations, ...(isTruncated && { isTruncated }) };
}
