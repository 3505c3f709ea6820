import { Loops, type WorkSource } from './loops.js';

const told: unknown[] = [];
const logger = { warn: (...args: unknown[]) => void told.push(args.at(-1)) };
const LONG_MS = 60_000;
let loops: Loops;

beforeEach(() => {
  told.length = 0;
  loops = new Loops(logger);
});
afterEach(() => loops.stop());

/** A queue in memory whose work goes on until it is let go. */
class Queue implements WorkSource<string> {
  readonly waiting: string[] = [];
  readonly begun: string[] = [];
  readonly ended = new Map<string, () => void>();
  private wake: (() => void) | undefined;
  private noted = Promise.withResolvers<void>();

  constructor(private readonly room = 1) {}

  add(...items: string[]): void {
    this.waiting.push(...items);
    this.wake?.();
  }
  hasRoom(running: number): boolean {
    return running < this.room;
  }
  async claim(): Promise<string | undefined> {
    return this.waiting.shift();
  }
  async work(item: string): Promise<void> {
    this.begun.push(item);
    this.noted.resolve();
    this.noted = Promise.withResolvers();
    await new Promise<void>((resolve) => this.ended.set(item, resolve));
  }
  queued(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  async untilBegun(count: number): Promise<void> {
    while (this.begun.length < count) await this.noted.promise;
  }
}

describe('loops', () => {
  it('take work until there is no room, and more when some has ended', async () => {
    const queue = new Queue(2);
    queue.add('a', 'b', 'c');
    loops.take(queue);
    await queue.untilBegun(2);
    expect(queue.begun).toEqual(['a', 'b']);
    queue.ended.get('a')!();
    await queue.untilBegun(3);
    expect(queue.begun).toEqual(['a', 'b', 'c']);
    for (const end of queue.ended.values()) end();
  });

  it('take work that comes later', async () => {
    const queue = new Queue();
    loops.take(queue);
    queue.add('late');
    await queue.untilBegun(1);
    queue.ended.get('late')!();
  });

  it('go on when no work can be claimed', async () => {
    const queue = new Queue();
    const claim = queue.claim.bind(queue);
    queue.claim = async () => {
      queue.claim = claim;
      queue.add('next');
      throw new TypeError('away');
    };
    loops.take(queue);
    await queue.untilBegun(1);
    expect(told).toEqual(['no work could be claimed']);
    queue.ended.get('next')!();
  });

  it('repeat a chore though it fails, and say what failed', async () => {
    const done = Promise.withResolvers<void>();
    let times = 0;
    const chore = async () => {
      if ((times += 1) === 3) done.resolve();
      throw new Error('not now');
    };
    loops.repeat(1, chore, 'the chore failed');
    await done.promise;
    expect(told).toContain('the chore failed');
  });

  it('repeat a chore at once as long as there is more to do', async () => {
    const done = Promise.withResolvers<void>();
    let left = 3;
    const chore = async () => {
      if ((left -= 1) === 0) done.resolve();
      return left > 0;
    };
    loops.repeat(LONG_MS, chore, 'never');
    await done.promise;
    expect(left).toBe(0);
  });

  it('stop between two times, and wait for what runs', async () => {
    const queue = new Queue();
    queue.add('running', 'never begun');
    let chores = 0;
    loops.repeat(LONG_MS, async () => (chores += 1), 'never');
    loops.take(queue);
    await queue.untilBegun(1);
    let isStopped = false;
    const stopped = loops.stop().then(() => (isStopped = true));
    await new Promise(setImmediate);
    expect([isStopped, loops.signal.aborted]).toEqual([false, true]);
    queue.ended.get('running')!();
    await stopped;
    expect(queue.begun).toEqual(['running']);
    expect(chores).toBe(1);
  });
});
