import type { Clock } from './clock.js';
import { type ChildSignal, childSignal } from './deadline.js';

/** How many hedges may follow each other when there were none for long. */
const MAX_SAVED = 5;

/** Lets a share of all calls be asked twice, so that hedging cannot double the load of a dependency in trouble. */
export class HedgeBudget {
  private left = 1;

  constructor(private ratio: number) {}

  /** Of every call, hedged or not. */
  earn(): void {
    this.left = Math.min(MAX_SAVED, this.left + this.ratio);
  }

  spend(): boolean {
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  update(ratio: number): void {
    this.ratio = ratio;
  }
}

export interface HedgeOptions {
  /** Asks again when there is no answer by then; undefined or Infinity: never. */
  afterMs?: number;
  budget: HedgeBudget;
  clock: Clock;
  signal?: AbortSignal;
  /** Asked when it is time: false while the dependency's circuit is not closed or we have too much to do ourselves. */
  allowed?: () => boolean;
  onHedge?: () => void;
}

/**
 * Makes the call and, when it takes long, makes it once more beside it: the first to succeed wins, the other is
 * aborted. Only for calls that do no harm when made twice.
 *
 * @throws the first call's error when none succeeds
 */
export function hedged<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { afterMs = Infinity, budget, clock, signal, allowed = () => true, onHedge }: HedgeOptions,
): Promise<T> {
  budget.earn();
  return new Promise<T>((resolve, reject) => {
    const attempts: ChildSignal[] = [];
    let failed = 0;
    let firstError: { error: unknown } | undefined;

    const finish = (winner?: ChildSignal) => {
      stopWaiting();
      for (const attempt of attempts) {
        attempt.clear();
        if (attempt !== winner) attempt.abort(new DOMException('Another attempt was faster', 'AbortError'));
      }
    };
    const start = () => {
      const attempt = childSignal(signal);
      const first = attempts.push(attempt) === 1;
      const fail = (error: unknown) => {
        if (first) firstError = { error };
        if (++failed < attempts.length) return;
        finish(attempt);
        reject((firstError ? firstError.error : error) as Error);
      };
      // The winner's signal is left alone: its result may be something that is still being read.
      const win = (value: T) => {
        finish(attempt);
        resolve(value);
      };
      void invoke(call, attempt.signal).then(win, fail);
    };
    const askAgain = () => {
      if (signal?.aborted || !allowed() || !budget.spend()) return;
      onHedge?.();
      start();
    };
    const stopWaiting = afterMs === Infinity ? () => undefined : clock.after(afterMs, askAgain);
    start();
  });
}

/** A call that throws before it returns a promise is one that fails. */
async function invoke<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return call(signal);
}
