import type { Clock, Random } from '../clock.js';
import type { CircuitBreaker } from './circuit-breaker.js';

const EVERY_MS = 1_000;
const JITTER = 0.2;
const TIMEOUT_MS = 2_000;

export interface ProbeDependencies {
  clock: Clock;
  random: Random;
  /** Told when an answer is another than the one before. */
  onChange?(answers: boolean): void;
}

/**
 * While a circuit is open, asks the dependency something cheap every second (± 20 %). An answer only permits the first
 * real probe early: at once when the dependency was seen silent since the opening, because then it has come back; else
 * not before the base open time is over, because then it may be another part of it that fails.
 */
export class RecoveryProbe {
  private stopWaiting?: () => void;
  private answered?: boolean;
  private wasSilent = false;
  private asking?: AbortController;

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
    this.wait();
  }

  stop(): void {
    this.stopWaiting?.();
    this.stopWaiting = undefined;
    this.asking?.abort();
    this.asking = undefined;
  }

  private wait(): void {
    const ms = EVERY_MS * (1 + JITTER * (2 * this.deps.random() - 1));
    this.stopWaiting = this.deps.clock.after(ms, () => void this.askOnce());
  }

  private async askOnce(): Promise<void> {
    const asking = (this.asking = new AbortController());
    const answers = await this.answers(asking);
    // Stopped, and perhaps started again, in the meantime.
    if (this.asking !== asking) return;
    this.asking = undefined;
    if (answers) this.breaker.noteAnswer({ wasSilent: this.wasSilent });
    else this.wasSilent = true;
    if (answers !== this.answered) this.deps.onChange?.((this.answered = answers));
    if (this.breaker.state === 'open') this.wait();
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
      void invoke(this.ask, asking.signal).then(
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
