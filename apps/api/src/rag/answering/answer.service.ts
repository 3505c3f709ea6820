import { Logger } from '@nestjs/common';
import type { TenantDb } from '#libs/database';
import { DomainError, TransientFailure } from '#libs/errors';
import { counter, histogram, reportBug } from '#libs/observability';
import type { PolicyRegistry } from '#libs/resilience';
import { ModelRejected } from '../providers/provider-failure.js';
import type { ChatModel } from '../providers/provider.js';
import type { Answer, AnswerEvent, AnswerRequest, SearchResult, ServiceLevel } from './answer.js';
import { AnswerInterrupted, DocumentsFailed, DocumentsNotFound, DocumentsNotReady } from './answer.errors.js';
import type { AnswerCache, KeptAnswer } from './answer-cache.js';
import { type AnswerPiece, piecesOf } from './answer-pieces.js';
import type { Retrieval, RetrievalRequest, RetrievedPassage } from '../retrieval/retriever.js';
import { extractAnswer } from './extractive/index.js';
import { CitedAnswer, generate, promptFor, UnusableAnswer } from './generated/index.js';
import { findScope, type Scope } from './scope.store.js';

const served = counter({
  name: 'navigator_answers_total',
  help: 'Answers by the step of the ladder that served them and the service level',
  labelNames: ['served_by', 'level'],
});
const durations = histogram({
  name: 'navigator_answer_seconds',
  help: 'Time from a question to its complete answer',
  labelNames: ['served_by'],
});
const stepsDown = counter({
  name: 'navigator_answer_steps_down_total',
  help: 'Times that a model did not answer and the next step of the ladder was taken',
  labelNames: ['model', 'reason'],
});

/** What answering needs of retrieval. */
export interface PassageRetriever {
  retrieve(request: RetrievalRequest, signal: AbortSignal): Promise<Pick<Retrieval, 'hits' | 'mode'>>;
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

/**
 * Answers questions from the reader's documents at the best level that can be had at the moment, and says at which:
 * the answer from the cache, else the first model, the next model, else the documents' own words. Whatever happens to a
 * model, there is an answer; only a database that cannot be reached leaves none.
 */
export class AnswerService {
  private readonly logger = new Logger(AnswerService.name);

  /** @param models in order of preference; without any, extractive answers are all that is promised */
  constructor(
    private readonly db: TenantDb,
    private readonly retriever: PassageRetriever,
    private readonly models: readonly ChatModel[],
    private readonly policies: Pick<PolicyRegistry, 'policy'>,
    private readonly cache: AnswerCache,
    private readonly options: AnswerOptions,
  ) {}

  /**
   * The complete answer.
   *
   * @throws DocumentsNotFound, DocumentsNotReady, DocumentsFailed; DependencyUnavailable without a database; the
   * signal's reason after an abort
   */
  async answer(request: AnswerRequest, signal: AbortSignal): Promise<Answer> {
    for await (const event of this.stream(request, signal, { live: false }))
      if (event.type === 'answer') return event.answer;
    throw new Error('The ladder ended without an answer');
  }

  /**
   * The answer while it is written. What `answer` throws is thrown before the first event.
   *
   * @param live pieces are given out as they are written, so that another model can take over only before the first
   * piece; otherwise they are given out when the answer is complete
   * @throws AnswerInterrupted when a model breaks off after its first piece was given out
   */
  async *stream(
    request: AnswerRequest,
    signal: AbortSignal,
    { live = true }: { live?: boolean } = {},
  ): AsyncGenerator<AnswerEvent> {
    const startedAt = performance.now();
    const scope = await this.db.run(request.reader.tenantId, (tx) => findScope(tx, request), { signal });
    requireAnswerable(scope);

    const cached = await this.cache.findFresh(request, scope.fingerprint);
    if (cached) return yield* this.replay(cached, startedAt);

    const { question, ...selection } = request;
    const { hits, mode } = await this.retriever.retrieve(
      { ...selection, query: question, limit: this.options.passages },
      signal,
    );
    const retrievedAt = performance.now();
    const best = hits.slice(0, this.options.bestPassages);
    const results = best.map(toSearchResult);
    yield { type: 'search-results', results };

    const found = mode === 'hybrid' ? 'full' : 'degraded';
    const complete = (text: WrittenAnswer, servedBy: string, level: ServiceLevel) =>
      this.complete(
        request,
        { results, fingerprint: scope.fingerprint, cited: [] },
        {
          ...text,
          servedBy,
          serviceLevel: worst(found, level),
          timings: timingsOf(startedAt, retrievedAt),
          pendingDocumentIds: scope.pendingDocumentIds,
        },
      );

    const deadline = AbortSignal.any([signal, AbortSignal.timeout(this.options.modelsTimeoutMs)]);
    for (const [index, model] of (hits.length > 0 ? this.models : []).entries()) {
      if (deadline.aborted) break;
      const draft = new CitedAnswer(best);
      try {
        const writing = generate({ model, draft, ...this.taskFor(model, question, best) }, deadline);
        const usage = live ? yield* writing : await lastOf(writing);
        const answer = await complete(
          { ...textOf(draft), usage },
          model.name,
          index === 0 ? 'full' : 'degraded',
        );
        if (!live) yield* piecesOf(answer);
        return yield { type: 'answer', answer };
      } catch (error) {
        signal.throwIfAborted();
        if (live && draft.text !== '') throw new AnswerInterrupted(model.name, error);
        this.stepDown(model.name, error);
      }
    }

    const asked = this.models.length === 0 || hits.length === 0;
    const extracted = { ...extractAnswer({ question, passages: hits }), usage: null };
    const answer = await complete(extracted, 'extractive', asked ? 'full' : 'minimal');
    yield* piecesOf(answer);
    yield { type: 'answer', answer };
  }

  private taskFor(model: ChatModel, question: string, passages: readonly RetrievedPassage[]) {
    return {
      policy: this.policies.policy(`model:${model.name}`),
      request: { messages: promptFor(question, passages), maxTokens: this.options.maxTokens },
    };
  }

  private stepDown(model: string, error: unknown): void {
    const reason =
      error instanceof DomainError ? error.code : ((error as Error | undefined)?.name ?? 'unknown');
    stepsDown.inc({ model, reason });
    this.logger.warn({ model, reason }, 'the model did not answer; taking the next step');
    if (!isExpected(error)) reportBug(error);
  }

  private async *replay({ answer, results }: KeptAnswer, startedAt: number): AsyncGenerator<AnswerEvent> {
    const now = performance.now();
    const again: Answer = {
      ...answer,
      servedBy: 'cache',
      usage: null,
      timings: timingsOf(startedAt, now, now),
    };
    observe(again);
    yield { type: 'search-results', results };
    yield* piecesOf(again);
    yield { type: 'answer', answer: again };
  }

  private async complete(
    request: AnswerRequest,
    kept: Omit<KeptAnswer, 'answer' | 'asOf'>,
    answer: Answer,
  ): Promise<Answer> {
    observe(answer);
    // What a failure made of an answer must not outlive the failure.
    if (answer.serviceLevel === 'full') await this.cache.save(request, { ...kept, answer });
    return answer;
  }
}

type WrittenAnswer = Pick<Answer, 'text' | 'notInDocuments' | 'grounding' | 'citations' | 'usage'>;

/** @throws unless there is something to answer from, or nothing at all, which is an answer too */
function requireAnswerable(scope: Scope): void {
  const { answerable, pendingDocumentIds, failedDocumentIds, unknownDocumentIds } = scope;
  if (unknownDocumentIds.length > 0) throw new DocumentsNotFound(unknownDocumentIds);
  if (answerable > 0) return;
  if (pendingDocumentIds.length > 0) throw new DocumentsNotReady(pendingDocumentIds, failedDocumentIds);
  if (failedDocumentIds.length > 0) throw new DocumentsFailed(failedDocumentIds);
}

function textOf(draft: CitedAnswer): Omit<WrittenAnswer, 'usage'> {
  if (draft.outcome === 'not-in-documents') return extractAnswer({ question: '', passages: [] });
  const { text, grounding, citations } = draft;
  return { text, notInDocuments: false, grounding, citations };
}

function toSearchResult({
  id,
  documentId,
  documentTitle,
  headingPath,
  page,
}: RetrievedPassage): SearchResult {
  return { passageId: id, documentId, documentTitle, headingPath, page };
}

async function lastOf<T>(generator: AsyncGenerator<AnswerPiece, T>): Promise<T> {
  let step = await generator.next();
  while (!step.done) step = await generator.next();
  return step.value;
}

function timingsOf(startedAt: number, retrievedAt: number, now = performance.now()): Answer['timings'] {
  const between = (from: number, to: number) => Math.round((to - from) * 10) / 10;
  return {
    retrieveMs: between(startedAt, retrievedAt),
    generateMs: between(retrievedAt, now),
    totalMs: between(startedAt, now),
  };
}

function observe({ servedBy, serviceLevel, timings }: Answer): void {
  served.inc({ served_by: servedBy, level: serviceLevel });
  durations.observe({ served_by: servedBy }, timings.totalMs / 1_000);
}

const LEVELS: readonly ServiceLevel[] = ['full', 'degraded', 'minimal', 'unavailable'];
const worst = (a: ServiceLevel, b: ServiceLevel): ServiceLevel =>
  LEVELS.indexOf(a) > LEVELS.indexOf(b) ? a : b;

/** Models fail in these ways every day; anything else is a bug of ours that the ladder must not hide. */
const isExpected = (error: unknown) =>
  error instanceof DomainError ||
  error instanceof TransientFailure ||
  error instanceof ModelRejected ||
  error instanceof UnusableAnswer ||
  (error as Error | undefined)?.name === 'TimeoutError';
