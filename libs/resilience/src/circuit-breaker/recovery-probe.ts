import type { Clock, Random } from '../clock.js';
import type { CircuitBreaker } from './circuit-breaker.js';

const EVERY_MS = 1_000;
const JITTER = 0.2;
const TIMEOUT_MS = 2_000;

export interface ProbeDependencies {
  clock: Clock;
  random: Random;
  /** Told when an answer is another than the one before. */
  onChange(answers: boolean): void;
}

/**
 * While a circuit is open, asks the dependency something cheap every second (± 20 %). An answer only permits the first
 * real probe early: at once when the dependency was seen silent since the opening, because then it has come back; else
 * not before the base open time is over, because then it may be another part of it that fails.
 */
export class RecoveryProbe {
  /** Of an opening; what belongs to an earlier one has no say any more. */
  private run = 0;
  private stopWaiting?: () => void;
  private asking?: AbortController;
  /** The last question, until it has really ended: one that hangs is not followed by others that hang. */
  private unanswered?: Promise<void>;
  private answered?: boolean;
  private wasSilent = false;

  constructor(
    private readonly breaker: CircuitBreaker,
    private readonly ask: (signal: AbortSignal) => Promise<unknown>,
    private readonly deps: ProbeDependencies,
  ) {}

  /** To be called when the circuit has opened. */
  start(): void {
    this.stop();
    this.wasSilent = false;
    this.answered = undefined;
    this.wait(this.run);
  }

  stop(): void {
    this.run++;
    this.stopWaiting?.();
    this.asking?.abort();
  }

  private wait(run: number): void {
    const ms = EVERY_MS * (1 + JITTER * (2 * this.deps.random() - 1));
    this.stopWaiting = this.deps.clock.after(ms, () => void this.askOnce(run));
  }

  private async askOnce(run: number): Promise<void> {
    const answers = await this.answers((this.asking = new AbortController()));
    if (run !== this.run) return;
    if (answers) this.breaker.noteAnswer({ wasSilent: this.wasSilent });
    else this.wasSilent = true;
    if (answers !== this.answered) this.deps.onChange((this.answered = answers));
    await this.unanswered;
    if (run === this.run) this.wait(run);
  }

  /** false as well for an answer that does not come in time, even if the question cannot be aborted. */
  private answers(asking: AbortController): Promise<boolean> {
    return new Promise((resolve) => {
      const clearTimer = this.deps.clock.after(TIMEOUT_MS, () => asking.abort());
      const settle = (answers: boolean) => {
        clearTimer();
        resolve(answers);
      };
      asking.signal.addEventListener('abort', () => settle(false), { once: true });
      this.unanswered = invoke(this.ask, asking.signal).then(
        () => settle(true),
        () => settle(false),
      );
    });
  }
}

/** A question that throws before it returns a promise is one that fails. */
async function invoke(ask: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return ask(signal);
}
