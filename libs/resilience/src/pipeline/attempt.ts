import type { Priority } from '../call.js';
import type { Outcome } from '../policy-types.js';

export type Work = (signal: AbortSignal, attempt: Attempt) => Promise<unknown>;

/** What is called, for whom, and how it may be treated. */
export interface Call {
  readonly work: Work;
  readonly operation?: string;
  readonly idempotent: boolean;
  readonly tenantId?: string;
  readonly priority: Priority;
  /** The result is an open stream: permits are held to its end. */
  readonly isStream: boolean;
  /** How long it may wait for a permit, when not as long as all others. */
  readonly maxWaitMs?: number;
}

const NEVER = new AbortController().signal;

/**
 * One attempt at a call on its way through the strategies. A retry and a hedge are attempts of their own, so that what
 * one of them notes never mixes with another's.
 */
export class Attempt {
  /** A limit that is shorter than the configured one. */
  timeoutMs = Infinity;
  /** On the clock's scale, when the call itself was made; undefined before. */
  startedAt?: number;
  /** The call, when it was given up before it ended. */
  abandoned?: Promise<unknown>;
  /** What the call gets, when that is not `signal`. */
  callSignal?: AbortSignal;
  private endings?: ((outcome: Outcome) => void)[];

  constructor(
    readonly call: Call,
    /** Of whoever waits for this attempt. */
    readonly signal?: AbortSignal,
    private readonly parent?: Attempt,
  ) {}

  /** The same call once more, or for somebody else who waits. */
  again(signal = this.signal): Attempt {
    const attempt = new Attempt(this.call, signal, this);
    attempt.timeoutMs = this.timeoutMs;
    return attempt;
  }

  get effectiveSignal(): AbortSignal {
    return this.callSignal ?? this.signal ?? NEVER;
  }

  /** The call, or a fault in its place, begins now: from here on its time counts. */
  begin(now: number): void {
    this.startedAt = now;
    this.parent?.begin(now);
  }

  /** Makes the call. */
  run(now: number): Promise<unknown> {
    if (this.startedAt === undefined) this.begin(now);
    return this.call.work(this.effectiveSignal, this);
  }

  /** Of the call itself, without the waiting before it; 0 when it was not made. */
  elapsedMs(now: number): number {
    return this.startedAt === undefined ? 0 : now - this.startedAt;
  }

  /** What is held while the stream is read is let go at its end. */
  onEnd(ending: (outcome: Outcome) => void): void {
    (this.endings ??= []).push(ending);
  }

  /** Of the stream; the second time nothing happens. */
  end(outcome: Outcome): void {
    for (const ending of this.endings?.splice(0) ?? []) ending(outcome);
    this.parent?.end(outcome);
  }
}
