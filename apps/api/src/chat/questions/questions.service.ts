import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { auditAgain, auditDetail } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { DeadlineExceeded, DomainError } from '#libs/errors';
import { leaveGate, newResourceId, returnToGate, settleQuota } from '#libs/http';
import { reportBug } from '#libs/observability';
import type { ServiceLevel } from '#libs/resilience';
import type { EntityManager } from 'typeorm';
import { AnswerService, type AnswerEvent, type AnswerRequest, type RepeatedAnswer } from '../../rag/index.js';
import { type ConversationsConfig, conversationsSection } from '../chat.config.js';
import { ConversationNotFound, TurnNotFound } from '../chat.errors.js';
import type { Owner } from '../conversations/conversation.js';
import { ConversationStore } from '../conversations/conversation.store.js';
import { countAnswer } from './answer.metrics.js';
import { LiveTurn } from './live-turn.js';
import { LiveTurns } from './live-turns.js';
import { RepeatedTurns } from './repeated-turns.js';
import { advance, endOf, type SaveOutcome, type Selection, type Turn, type TurnStatus } from './turn.js';
import { EndedTurn, eventsAfter, type FollowedTurn, type TurnEvent } from './turn-events.js';
import { TurnStore } from './turn.store.js';

export interface Question {
  conversationId: string;
  question: string;
  selection: Selection;
  /** Rather no answer than one below this level. */
  atLeast?: ServiceLevel;
}

/** How often a turn is looked at that another process is writing. */
const POLL_MS = 1_000;
/** A usual question with its passages and its answer is not more. */
const TOKENS_PER_UNIT = 4_000;

@Injectable()
export class QuestionsService {
  constructor(
    private readonly db: TenantDb,
    private readonly conversations: ConversationStore,
    private readonly turns: TurnStore,
    private readonly repeatedTurns: RepeatedTurns,
    private readonly answers: AnswerService,
    private readonly live: LiveTurns,
    @Inject(conversationsSection.token) private readonly config: ConversationsConfig,
  ) {}

  /**
   * Answers a question completely and saves the turn. When `signal` aborts, the work ends and what there is is saved as
   * cancelled.
   *
   * @throws ConversationNotFound, ShuttingDown, and what `AnswerService` throws
   */
  async ask(owner: Owner, question: Question, signal: AbortSignal): Promise<Turn> {
    this.live.assertOpen();
    const turn = newTurn(question);
    const repeated = await this.repeat(owner, turn, signal);
    if (repeated) return repeated;
    const { atLeast } = question;
    const first = this.requireConversation(owner, turn.conversationId);
    let begun = false;
    try {
      for await (const event of this.answers.stream(requestFor(owner, turn), signal, {
        live: false,
        atLeast,
        first,
      })) {
        begun = true;
        advance(turn, event);
      }
    } catch (error) {
      // A question that was refused is no turn; one whose answer broke off is.
      if (begun) await this.end(owner, { ...turn, ...endOf(error, signal) }).catch(() => undefined);
      throw error;
    }
    const answered: Turn = { ...turn, status: 'answered' };
    const outcome = await this.end(owner, answered);
    if (outcome === 'ended-elsewhere') return this.getAnswered(owner, turn);
    const told = { ...answered, isSaved: outcome === 'saved' };
    countAnswer(told);
    return told;
  }

  /**
   * Begins an answer that is read while it is written. It goes on when its readers leave, for a while.
   *
   * @throws ConversationNotFound, ShuttingDown, and what `AnswerService` throws before its first event
   */
  async begin(owner: Owner, question: Question, signal: AbortSignal): Promise<FollowedTurn> {
    this.live.assertOpen();
    const turn = newTurn(question);
    const repeated = await this.repeat(owner, turn, signal);
    if (repeated) return new EndedTurn(repeated);
    const abort = new AbortController();
    const events = this.answers.stream(requestFor(owner, turn), abort.signal, {
      atLeast: question.atLeast,
      first: this.requireConversation(owner, turn.conversationId),
    });
    advance(turn, await this.firstOf(events, abort, signal));
    const outcome = await this.keep(owner, turn);
    if (outcome === 'ended-elsewhere') {
      abort.abort();
      return new EndedTurn(await this.getAnswered(owner, turn));
    }
    turn.isSaved = outcome === 'saved';
    const live = new LiveTurn(turn, events, {
      abort,
      save: (ended) => this.end(owner, ended),
      graceMs: this.config.resumeGraceMs,
    });
    this.live.add(live);
    return live;
  }

  /**
   * The events of a turn after `position`, from wherever it is: under way here, under way in another process, or saved.
   *
   * @throws TurnNotFound, also for a turn of somebody else; while it is read, DeadlineExceeded
   */
  async follow(
    owner: Owner,
    { conversationId, turnId }: { conversationId: string; turnId: string },
    position: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<TurnEvent>> {
    const turn = await this.get(owner, conversationId, turnId);
    return (
      this.live.find(turnId)?.follow(position, signal) ?? this.followSaved(owner, turn, position, signal)
    );
  }

  /** Ends a turn that is under way; one that has ended stays as it is. */
  async cancel(owner: Owner, conversationId: string, turnId: string): Promise<TurnStatus> {
    const turn = await this.get(owner, conversationId, turnId);
    auditDetail({ targets: targetsOf(turn) });
    const live = this.live.find(turnId);
    live?.cancel();
    await live?.ended;
    if (live) return live.turn.status;
    if (turn.status !== 'answering') return turn.status;
    // Another process writes it; it will find the turn ended.
    await this.turns.save(this.db, owner, { ...turn, status: 'cancelled' });
    return (await this.get(owner, conversationId, turnId)).status;
  }

  private async *followSaved(
    owner: Owner,
    found: Turn,
    position: number,
    signal: AbortSignal,
  ): AsyncGenerator<TurnEvent> {
    let turn = found;
    while (turn.status === 'answering' && !signal.aborted) {
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
      turn = await this.get(owner, turn.conversationId, turn.id);
    }
    yield* eventsAfter(position, turn);
    if (turn.status === 'answering' && signal.reason instanceof DeadlineExceeded) throw signal.reason;
  }

  /** Waits for the first event, as long as the client does. */
  private async firstOf(
    events: AsyncIterator<AnswerEvent>,
    abort: AbortController,
    signal: AbortSignal,
  ): Promise<AnswerEvent> {
    const leave = () => abort.abort(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      signal.throwIfAborted();
      const first = await events.next();
      if (first.done) throw new Error('The answer has no events');
      return first.value;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /**
   * The turn with the answer that was given before to the same question, saved. Whatever comes in the way, the question is
   * answered as any other: nothing was shown or written.
   *
   * @throws the signal's reason
   */
  private async repeat(owner: Owner, asked: Turn, signal: AbortSignal): Promise<Turn | undefined> {
    let turn = asked;
    const save = ({ answer, results, fingerprint }: RepeatedAnswer) => {
      const { text, citations } = answer;
      turn = { ...asked, status: 'answered', answer, results, text, citations };
      const repeated = { turn, userId: owner.userId, fingerprint };
      // It waits for the disk and nothing else, and as many together as there are.
      leaveGate();
      return this.repeatedTurns.save(owner.tenantId, repeated, signal, () => this.record(turn));
    };
    try {
      if (await this.answers.repeat(requestFor(owner, asked), save)) {
        countAnswer(turn);
        return turn;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DomainError)) reportBug(error);
    }
    await returnToGate();
    return undefined;
  }

  private record(ended: Turn): void {
    auditDetail({ targets: targetsOf(ended), detail: auditOf(ended) });
    settleQuota(quotaUnitsOf(ended));
  }

  private end(owner: Owner, turn: Turn): Promise<SaveOutcome> {
    this.record(turn);
    return this.keep(owner, turn);
  }

  /** Saves a turn as it stands, with its record. While the database cannot take it, the record waits for it. */
  private async keep(owner: Owner, turn: Turn): Promise<SaveOutcome> {
    auditDetail({ targets: targetsOf(turn) });
    try {
      return (await this.turns.save(this.db, owner, turn)) ? 'saved' : 'ended-elsewhere';
    } catch (error) {
      if (!isStorageAway(error)) throw error;
      auditAgain();
      return 'unsaved';
    }
  }

  /** While the database is away this cannot be known; then nothing of the conversation is read or written either. */
  private requireConversation(owner: Owner, id: string) {
    return async (tx: EntityManager): Promise<void> => {
      if (!(await this.conversations.find(tx, owner, id))) throw new ConversationNotFound(id);
    };
  }

  /**
   * The turn was made before: by a request with the same Idempotency-Key, or by this one, in a transaction of which it is not
   * known whether it was committed.
   */
  private async getAnswered(owner: Owner, { conversationId, id }: Turn): Promise<Turn> {
    const turn = await this.db.read(owner.tenantId, (tx) => this.turns.find(tx, owner, conversationId, id));
    if (!turn?.answer) throw new ConversationNotFound(conversationId);
    countAnswer(turn);
    return turn;
  }

  private async get(owner: Owner, conversationId: string, turnId: string): Promise<Turn> {
    const turn = await this.db.read(owner.tenantId, (tx) =>
      this.turns.find(tx, owner, conversationId, turnId),
    );
    if (!turn) throw new TurnNotFound(turnId);
    return turn;
  }
}

function newTurn({ conversationId, question, selection }: Question): Turn {
  return {
    id: newResourceId(),
    conversationId,
    question,
    selection,
    status: 'answering',
    results: [],
    text: '',
    citations: [],
    answer: null,
    errorCode: null,
    isSaved: true,
    createdAt: new Date(),
  };
}

/** Follow-up questions are answered as they stand; making them stand alone has its place here. */
function requestFor({ tenantId, userId }: Owner, { question, selection }: Turn): AnswerRequest {
  return { reader: { tenantId, userId }, question, ...selection };
}

/** The database is out of reach, cannot write or is full. What is a mistake of the caller or of ours is not this. */
const isStorageAway = (error: unknown) => error instanceof DomainError && error.kind === 'unavailable';

/** Who was shown what: the passages, by their ids. */
function targetsOf({ id, conversationId, results, citations }: Turn) {
  const passageIds = new Set([...results, ...citations].map(({ passageId }) => passageId));
  return [
    { type: 'conversation', id: conversationId },
    { type: 'question', id },
    ...Array.from(passageIds, (passageId) => ({ type: 'passage', id: passageId })),
  ];
}

/** One is taken for a question before anybody knows what it costs. */
function quotaUnitsOf({ answer }: Turn): number {
  const { inputTokens = 0, outputTokens = 0 } = answer?.usage ?? {};
  return Math.max(1, Math.ceil((inputTokens + outputTokens) / TOKENS_PER_UNIT));
}

function auditOf({ status, answer, errorCode }: Turn) {
  return {
    status,
    error_code: errorCode ?? undefined,
    served_by: answer?.servedBy,
    service_level: answer?.serviceLevel,
    not_in_documents: answer?.notInDocuments,
    citations: answer?.citations.length,
    cited: answer?.citations.map(({ passageId }) => passageId),
    input_tokens: answer?.usage?.inputTokens,
    output_tokens: answer?.usage?.outputTokens,
  };
}
