import { EventEmitter, once } from 'node:events';
import { Logger } from '@nestjs/common';
import { DeadlineExceeded, DomainError } from '#libs/errors';
import { reportBug } from '#libs/observability';
import type { AnswerEvent } from '../../rag/index.js';
import { AnswerCancelled } from '../chat.errors.js';
import { countAnswer } from './answer.metrics.js';
import { advance, endOf, type SaveOutcome, type Turn } from './turn.js';
import { eventsAfter, type FollowedTurn, type TurnEvent } from './turn-events.js';

export interface LiveTurnOptions {
  /** Stops the work behind the events. */
  abort: AbortController;
  /** Keeps the turn as it ends. Its readers are told its end only afterwards. */
  save(turn: Turn): Promise<SaveOutcome>;
  /** How long it is written for nobody, after its last reader has left. */
  graceMs: number;
}

/** A turn under way in this process. Any number of readers may follow it, join late and come back. */
export class LiveTurn implements FollowedTurn {
  /** Resolves when the turn has ended and is saved. Never rejects. */
  readonly ended: Promise<void>;

  private readonly logger = new Logger(LiveTurn.name);
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readers = 0;
  private farewell?: NodeJS.Timeout;

  constructor(
    readonly turn: Turn,
    events: AsyncIterator<AnswerEvent>,
    private readonly options: LiveTurnOptions,
  ) {
    this.ended = this.write(events);
  }

  /**
   * The events after `position`, those of the past at once; until the turn ends or `signal` is aborted. A reader who
   * leaves may come back within the grace; the time of one whose deadline is over has been all there was.
   *
   * @throws DeadlineExceeded when that is why `signal` was aborted
   */
  async *follow(position: number, signal: AbortSignal): AsyncGenerator<TurnEvent> {
    this.readers++;
    clearTimeout(this.farewell);
    let told = position;
    try {
      while (!signal.aborted) {
        const hasEnded = this.hasEnded;
        const news = eventsAfter(told, this.turn);
        for (const event of news) {
          yield event;
          told = event.id;
        }
        if (hasEnded) return;
        if (news.length === 0) await this.change(signal);
      }
      if (signal.reason instanceof DeadlineExceeded) throw signal.reason;
    } finally {
      this.readers--;
      if (this.readers === 0 && !this.hasEnded) this.loseLastReader(signal);
    }
  }

  /** Ends the turn with what there is; it has ended when `ended` resolves. */
  cancel(): void {
    this.options.abort.abort(new AnswerCancelled());
  }

  private get hasEnded(): boolean {
    return this.turn.status !== 'answering';
  }

  private loseLastReader(signal: AbortSignal): void {
    if (signal.reason instanceof DeadlineExceeded) this.cancel();
    else this.farewell = setTimeout(() => this.cancel(), this.options.graceMs).unref();
  }

  private async change(signal: AbortSignal): Promise<void> {
    // The signal's abort is a change too: the loop looks at it.
    await once(this.changes, 'change', { signal }).catch(() => undefined);
  }

  private async write(events: AsyncIterator<AnswerEvent>): Promise<void> {
    const { turn, options } = this;
    const end = await this.read(events);
    try {
      const outcome = await options.save({ ...turn, ...end });
      if (outcome === 'ended-elsewhere') Object.assign(turn, { status: 'cancelled', answer: null });
      else Object.assign(turn, end, { isSaved: outcome === 'saved' });
      countAnswer(turn);
    } catch (error) {
      this.report(error);
      Object.assign(turn, { answer: null, ...endOf(error, new AbortController().signal) });
    }
    clearTimeout(this.farewell);
    this.changes.emit('change');
  }

  /** Reads to the end. The answer itself is not shown before it is saved. */
  private async read(events: AsyncIterator<AnswerEvent>): Promise<Partial<Turn>> {
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        if (next.value.type === 'answer') return { status: 'answered', answer: next.value.answer };
        advance(this.turn, next.value);
        this.changes.emit('change');
      }
      throw new Error('The answer ended without its last event');
    } catch (error) {
      const { signal } = this.options.abort;
      if (!signal.aborted) this.report(error);
      return endOf(error, signal);
    }
  }

  /** Its reader is told no more than a code, so a bug is logged here. */
  private report(error: unknown): void {
    if (error instanceof DomainError) return;
    this.logger.error(error);
    reportBug(error);
  }
}
