import { type ChildSignal, childSignal } from './deadline.js';

interface Flight<T> {
  result: Promise<T>;
  work: ChildSignal;
  waiting: number;
}

/** Lets callers who want the same at the same time share one piece of work. */
export class SingleFlight<T> {
  private readonly flights = new Map<string, Flight<T>>();

  /** Pieces of work under way. */
  get size(): number {
    return this.flights.size;
  }

  /**
   * The result of `work`, or of the work already under way for the same key. A caller who leaves, also the one who
   * began, leaves alone; the work is aborted when nobody waits for it any more. It runs in the context of the caller who began.
   *
   * @throws what the work throws; the signal's reason after an abort
   */
  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.flights.get(key) ?? this.start(key, work);
    flight.waiting++;
    try {
      return await (signal ? unlessAborted(flight.result, signal) : flight.result);
    } finally {
      if (--flight.waiting === 0) this.abandon(key, flight);
    }
  }

  private start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const own = childSignal();
    const result = (async () => work(own.signal))();
    const flight: Flight<T> = { result, work: own, waiting: 0 };
    const land = () => this.remove(key, flight);
    result.then(land, land);
    this.flights.set(key, flight);
    return flight;
  }

  /** Whoever comes now begins anew: work that is being aborted has no result. */
  private abandon(key: string, flight: Flight<T>): void {
    if (this.remove(key, flight)) flight.work.abort(new DOMException('Nobody waits any more', 'AbortError'));
  }

  private remove(key: string, flight: Flight<T>): boolean {
    return this.flights.get(key) === flight && this.flights.delete(key);
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
