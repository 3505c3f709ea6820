import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { allowsModel, type TenantRules, type TenantRulesSource } from '#libs/auth';
import { DatabaseBusy, type TenantDb } from '#libs/database';
import { DomainError, TransientFailure } from '#libs/errors';
import { counter, histogram, reportBug } from '#libs/observability';
import {
  CachedFallback,
  DegradationManager,
  type Fallback,
  FunctionFallback,
  type PolicyRegistry,
  type Served,
  type ServiceLevel,
  StaticFallback,
  StreamFallback,
  worstLevel,
} from '#libs/resilience';
import { ModelRejected } from '../providers/provider-failure.js';
import type { ChatModel } from '../providers/provider.js';
import type { Retrieval, RetrievalRequest } from '../retrieval/retriever.js';
import type { Answer, AnswerEvent, AnswerRequest } from './answer.js';
import { AnswerInterrupted, AnswersUnavailable } from './answer.errors.js';
import type { AnswerCache, KeptAnswer } from './answer-cache.js';
import { piecesOf } from './answer-pieces.js';
import { answeringCondition } from './answering-condition.js';
import { Asked } from './asked.js';
import type { DeletedDocuments } from './deleted-documents.js';
import { extractAnswer } from './extractive/index.js';
import { type ModelBudget, UnusableAnswer } from './generated/index.js';
import { isAway, LastAnswers } from './last-answers.js';
import { ModelWriter, type OnTheWay, type Written } from './model-writer.js';
import { again, CACHE, type RepeatedAnswer, RepeatedAnswers } from './repeated-answers.js';
import { requireAnswerable } from './require-answerable.js';
import { findScope, type Scope } from './scope.store.js';
import type { Withdrawals } from './withdrawals.js';

const durations = histogram({
  name: 'navigator_answer_seconds',
  help: 'Time from a question to its complete answer',
  labelNames: ['served_by'],
});
const stepsDown = counter({
  name: 'navigator_answer_steps_down_total',
  help: 'Times that a step of the ladder failed and the next one was taken',
  labelNames: ['step', 'reason'],
});

/** What answering needs of retrieval. */
export interface PassageRetriever {
  retrieve(
    request: RetrievalRequest,
    signal: AbortSignal,
  ): Promise<Pick<Retrieval, 'hits' | 'mode' | 'degradation'>>;
}

export interface AnswerOptions {
  /** Passages that an answer is looked for in, word for word. */
  passages: number;
  /** How many of them, the best, a model reads and a reader is told of. */
  bestPassages: number;
  /** Tokens that a model may write. */
  maxTokens: number;
  /** For all models together. */
  modelsTimeoutMs: number;
}

export interface StreamOptions {
  /**
   * Pieces are given out as they are written, so that another model can take over only before the first piece; otherwise
   * they are given out when the answer is complete.
   */
  live?: boolean;
  /** Rather no answer than one below this level. */
  atLeast?: ServiceLevel;
  /** Is read together with what can be asked, unless the database is away. What it throws is thrown before any answer. */
  first?: (tx: EntityManager) => Promise<void>;
}

/** What a step of the ladder gives: an answer in its own words, one from the cache, or why there is none. */
type Given = Written | KeptAnswer | AnswersUnavailable;
type Step = Fallback<Asked, Given, OnTheWay>;

/**
 * Answers questions from the reader's documents at the best level that can be had at the moment, and says at which.
 * Whatever happens to a model, the embedder or the cache, there is an answer; without the database there is one only if
 * it was given before.
 */
export class AnswerService {
  readonly ladder: DegradationManager<Asked, Given, OnTheWay>;
  private readonly logger = new Logger(AnswerService.name);
  private readonly writer: ModelWriter;
  private readonly lastAnswers: LastAnswers;
  private readonly repeatedAnswers: RepeatedAnswers;

  /** @param models in order of preference; without any, extractive answers are all that is promised */
  constructor(
    private readonly db: Pick<TenantDb, 'read'>,
    private readonly retriever: PassageRetriever,
    private readonly models: readonly ChatModel[],
    policies: Pick<PolicyRegistry, 'policy'>,
    budget: Pick<ModelBudget, 'reserve'>,
    private readonly cache: AnswerCache,
    deleted: Pick<DeletedDocuments, 'hasAny'>,
    private readonly options: AnswerOptions,
    private readonly rules: Pick<TenantRulesSource, 'of'> = { of: () => Promise.resolve({}) },
    withdrawals: Pick<Withdrawals, 'concern'> = { concern: () => Promise.resolve(false) },
  ) {
    this.repeatedAnswers = new RepeatedAnswers(cache);
    this.lastAnswers = new LastAnswers(db, cache, deleted, withdrawals);
    this.writer = new ModelWriter(policies, budget, cache, options);
    this.ladder = new DegradationManager('answer.generate', {
      condition: answeringCondition(policies, models),
      // A bug in a step must not cost the reader his answer. It is reported where the step is left.
      isExpected: () => true,
      onStepDown: (step, reason, error) => this.stepDown(step, reason, error),
    });
  }

  /** The ladder, top to bottom. The level is what it is worth when everything could be searched. */
  private stepsFor({ live, rules }: { live: boolean; rules: TenantRules }): Step[] {
    const allowed = this.models.filter(({ name }) => allowsModel(rules, name));
    const promised = allowed.length > 0 ? 'minimal' : 'full';
    const cached: Step = new CachedFallback(CACHE, 'full', (asked) => this.findFresh(asked));
    const models = allowed.map((model, index): Step => {
      const level = index === 0 ? 'full' : 'degraded';
      return new StreamFallback(model.name, worthAtMost(level), (asked, signal) =>
        this.writer.write(model, asked, { live }, signal),
      );
    });
    const stale: Step = new CachedFallback('cache-stale', 'degraded', (asked) =>
      this.lastAnswers.find(asked),
    );
    const extractive: Step = new FunctionFallback(
      'extractive',
      (asked) => worthAtMost(asked.findings?.hits.length === 0 ? 'full' : promised)(asked),
      (asked, signal) => this.extract(asked, signal),
    );
    const guidance: Step = new StaticFallback(
      'guidance',
      'unavailable',
      ({ scope }) => new AnswersUnavailable('away' in scope ? scope.away : undefined),
    );
    return allowed.length > 0
      ? [cached, ...models, stale, extractive, guidance]
      : [cached, extractive, stale, guidance];
  }

  /**
   * The complete answer.
   *
   * @throws DocumentsNotFound, DocumentsNotReady, DocumentsFailed; AnswersUnavailable without a database;
   * ServiceLevelNotMet; the signal's reason after an abort
   */
  async answer(request: AnswerRequest, signal: AbortSignal): Promise<Answer> {
    for await (const event of this.stream(request, signal, { live: false }))
      if (event.type === 'answer') return event.answer;
    throw new Error('The ladder ended without an answer');
  }

  /**
   * Gives an answer again for as little as can be: without a look at the documents first.
   *
   * @param confirm whether the documents have this fingerprint now, so that the answer may be shown
   * @returns undefined when there is no such answer, or it was not confirmed; what is asked must then be answered as usual
   * @throws what `confirm` throws
   */
  async repeat(
    asking: AnswerRequest,
    confirm: (repeated: RepeatedAnswer) => Promise<boolean>,
  ): Promise<Answer | undefined> {
    const rules = await this.rules.of(asking.reader.tenantId);
    const repeated = await this.repeatedAnswers.find({ ...asking, rules });
    if (!repeated || !(await confirm(repeated))) return undefined;
    this.ladder.observe('full');
    observe(repeated.answer);
    return repeated.answer;
  }

  /**
   * The answer while it is written. What `answer` throws is thrown before the first event.
   *
   * @throws AnswerInterrupted when a model breaks off after its first piece was given out
   */
  async *stream(
    asking: AnswerRequest,
    signal: AbortSignal,
    { live = true, atLeast, first }: StreamOptions = {},
  ): AsyncGenerator<AnswerEvent> {
    const rules = await this.rules.of(asking.reader.tenantId);
    const request = { ...asking, rules };
    const found = this.searchEarly(request, signal);
    let scope = await this.scopeOf(request, signal, first);
    // Where the search reached the database, it was away for a moment only, and what can be asked can be found out.
    if ('away' in scope && (await found.catch(() => undefined)))
      scope = await this.scopeOf(request, signal, first);
    const asked = new Asked(request, scope, {
      search: async (limit) => (await found) ?? this.search(request, limit),
      best: this.options.bestPassages,
      atLeast,
    });
    const given = yield* this.ladder.serveStream(asked, signal, {
      atLeast,
      steps: this.stepsFor({ live, rules }),
      commits: ({ type }) => type !== 'search-results',
      interrupted: (model, cause) => new AnswerInterrupted(model, cause),
    });
    const { value } = given;
    if (value instanceof AnswersUnavailable) throw value;
    const answer =
      'answer' in value ? again(value, given, asked.timings) : this.complete(value, given, asked);
    yield* asked.tell('answer' in value ? value.results : asked.results);
    const wasStreamed = live && this.models.some(({ name }) => name === given.servedBy);
    if (!wasStreamed) yield* piecesOf(answer);
    observe(answer);
    if (answer.serviceLevel === 'full' && !('answer' in value)) await this.keep(asked, answer);
    yield { type: 'answer', answer };
  }

  /** What can be asked, or why that could not be found out: without the database there may still be an answer. */
  private async scopeOf(
    request: AnswerRequest,
    signal: AbortSignal,
    first?: StreamOptions['first'],
  ): Promise<Scope | { away: unknown }> {
    // Sent together, so that both cost one round trip.
    const find = (tx: EntityManager) => Promise.all([findScope(tx, request), first?.(tx)]);
    const { documentIds, collection, tags } = request;
    // All documents are found in the same way each time; to plan that anew takes longer than to do it.
    const keepsPlans = !documentIds && !collection && !tags?.length;
    try {
      const [scope] = await this.db.read(request.reader.tenantId, find, { signal, keepsPlans });
      requireAnswerable(scope);
      this.repeatedAnswers.expect(request, scope.fingerprint);
      return scope;
    } catch (error) {
      signal.throwIfAborted();
      // Somebody holds what is read first, and that need not be what is asked.
      if (first && error instanceof DatabaseBusy) return this.scopeOf(request, signal);
      if (!isAway(error)) throw error;
      return { away: error };
    }
  }

  /** What was never asked before must be looked for in any case; then nobody waits for what else is found out first. */
  private searchEarly(request: AnswerRequest, signal: AbortSignal) {
    const found = this.cache
      .isNew(request)
      .then((isNew) => (isNew ? this.search(request, signal) : undefined));
    // Whoever needs it hears of its failure. For a question that is refused it just ends: to cancel it costs more.
    found.catch(() => undefined);
    return found;
  }

  private search({ question, ...selection }: AnswerRequest, signal: AbortSignal) {
    return this.retriever.retrieve({ ...selection, query: question, limit: this.options.passages }, signal);
  }

  private async findFresh({ request, scope }: Asked): Promise<KeptAnswer | undefined> {
    return 'away' in scope ? undefined : this.cache.findFresh(request, scope.fingerprint);
  }

  private async extract(asked: Asked, signal: AbortSignal): Promise<Written> {
    const { hits } = await asked.find(signal);
    const { question, rules } = asked.request;
    const answer = extractAnswer({ question, passages: hits, abstainBelow: rules?.answerThreshold });
    return { ...answer, usage: null };
  }

  private complete(written: Written, { servedBy, level, degradations }: Served<Given>, asked: Asked): Answer {
    return {
      ...written,
      servedBy,
      serviceLevel: written.isTruncated ? worstLevel(level, 'degraded') : level,
      degradations: [...(asked.findings?.degradations ?? []), ...degradations],
      timings: asked.timings,
      pendingDocumentIds: 'away' in asked.scope ? [] : asked.scope.pendingDocumentIds,
    };
  }

  private async keep({ request, scope, results, findings }: Asked, answer: Answer): Promise<void> {
    if ('away' in scope) return;
    const versions = new Map(findings?.hits.map((hit) => [hit.documentId, hit.documentVersion]));
    const cited = [...new Set(answer.citations.map(({ documentId }) => documentId))].map((documentId) => ({
      documentId,
      version: versions.get(documentId)!,
    }));
    await this.cache.save(request, { answer, results, fingerprint: scope.fingerprint, cited });
  }

  private stepDown(step: string, reason: string, error: unknown): void {
    stepsDown.inc({ step, reason });
    this.logger.warn({ step, reason }, 'a step of the ladder failed; taking the next one');
    if (!isExpected(error)) reportBug(error);
  }
}

/** A step is worth no more than what could be searched. */
const worthAtMost =
  (level: ServiceLevel) =>
  (asked: Asked): ServiceLevel =>
    worstLevel(level, asked.level);

function observe({ servedBy, timings }: Answer): void {
  durations.observe({ served_by: servedBy }, timings.totalMs / 1_000);
}

/** Steps fail in these ways every day; anything else is a bug of ours that the ladder must not hide. */
const isExpected = (error: unknown) =>
  error instanceof DomainError ||
  error instanceof TransientFailure ||
  error instanceof ModelRejected ||
  error instanceof UnusableAnswer ||
  (error as Error | undefined)?.name === 'TimeoutError';
