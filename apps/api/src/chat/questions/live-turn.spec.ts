import { jest } from '@jest/globals';
import { DeadlineExceeded, DependencyUnavailable } from '#libs/errors';
import { Lifecycle } from '#libs/health';
import { ClientLeft } from '#libs/http';
import type { Answer, AnswerEvent } from '../../rag/index.js';
import { LiveTurn } from './live-turn.js';
import { LiveTurns } from './live-turns.js';
import type { SaveOutcome, Turn } from './turn.js';
import type { TurnEvent } from './turn-events.js';

const ANSWER: Answer = {
  text: 'You pay.',
  notInDocuments: false,
  grounding: 1,
  citations: [],
  servedBy: 'extractive',
  serviceLevel: 'full',
  degradations: [],
  usage: null,
  timings: { retrieveMs: 1, generateMs: 1, totalMs: 2 },
  pendingDocumentIds: [],
};
const newTurn = (): Turn => ({
  id: 't1',
  conversationId: 'c1',
  question: 'How?',
  selection: {},
  status: 'answering',
  results: [],
  text: '',
  citations: [],
  answer: null,
  errorCode: null,
  isSaved: true,
  createdAt: new Date(0),
});

/** An answer that is written when the test says so. */
class Writer implements AsyncIterator<AnswerEvent> {
  private readonly steps: PromiseWithResolvers<AnswerEvent>[] = [];
  private asked = 0;
  private given = 0;

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.fail(signal.reason));
  }
  private step(index: number) {
    return (this.steps[index] ??= Promise.withResolvers<AnswerEvent>());
  }
  say(event: AnswerEvent) {
    this.step(this.given++).resolve(event);
  }
  fail(error: unknown) {
    this.step(this.given++).reject(error);
  }
  async next(): Promise<IteratorResult<AnswerEvent>> {
    return { done: false, value: await this.step(this.asked++).promise };
  }
}

function start({
  save = async () => 'saved' as const,
  graceMs = 15_000,
}: Partial<{ save: (turn: Turn) => Promise<SaveOutcome>; graceMs: number }> = {}) {
  const abort = new AbortController();
  const writer = new Writer(abort.signal);
  const saved: Turn[] = [];
  const live = new LiveTurn(newTurn(), writer, {
    abort,
    graceMs,
    save: (turn) => {
      saved.push({ ...turn });
      return save(turn);
    },
  });
  return { live, writer, saved };
}

const never = new AbortController().signal;

async function collect(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const names = (events: TurnEvent[]) => events.map(({ event }) => event);

describe('LiveTurn', () => {
  it('tells its readers what is written as it is written, and its end once it is saved', async () => {
    const gate = Promise.withResolvers<SaveOutcome>();
    const { live, writer, saved } = start({ save: () => gate.promise });
    const reader = live.follow(0, never);
    expect((await reader.next()).value).toMatchObject({ event: 'search_results' });
    writer.say({ type: 'text', text: 'You ' });
    expect((await reader.next()).value).toMatchObject({ data: { delta: 'You ' } });
    writer.say({ type: 'text', text: 'pay.' });
    expect((await reader.next()).value).toMatchObject({ data: { delta: 'pay.' } });
    writer.say({ type: 'answer', answer: ANSWER });
    const next = reader.next();
    expect(live.turn.status).toBe('answering');
    gate.resolve('saved');
    expect((await next).value).toMatchObject({ event: 'final_answer' });
    expect(names(await collect(reader))).toEqual(['usage', 'done']);
    expect(saved).toMatchObject([{ status: 'answered', answer: { text: 'You pay.' } }]);
  });

  it('tells a late reader everything, and one that comes back only the rest', async () => {
    const { live, writer } = start();
    writer.say({ type: 'text', text: 'You pay.' });
    writer.say({ type: 'answer', answer: ANSWER });
    await live.ended;
    const all = await collect(live.follow(0, never));
    expect(names(all)).toEqual(['search_results', 'message', 'final_answer', 'usage', 'done']);
    expect(await collect(live.follow(all[1]!.id, never))).toEqual(all.slice(2));
  });

  it('ends with what there is when it is cancelled', async () => {
    const { live, writer, saved } = start();
    const reading = collect(live.follow(0, never));
    writer.say({ type: 'text', text: 'You ' });
    await new Promise((resolve) => setImmediate(resolve));
    live.cancel();
    await live.ended;
    expect(saved).toMatchObject([{ status: 'cancelled', text: 'You ', answer: null, errorCode: null }]);
    expect((await reading).at(-1)).toMatchObject({ event: 'done', data: { status: 'cancelled' } });
  });

  it('keeps the beginning of an answer that broke off, and says so', async () => {
    const { live, writer, saved } = start();
    writer.say({ type: 'text', text: 'You ' });
    writer.fail(new DependencyUnavailable('model'));
    const events = await collect(live.follow(0, never));
    expect(saved).toMatchObject([{ status: 'failed', errorCode: 'dependency-unavailable', text: 'You ' }]);
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { partial: true } });
  });

  it('tells an answer that the database could not take, and that it is not saved', async () => {
    const { live, writer } = start({ save: async () => 'unsaved' });
    writer.say({ type: 'answer', answer: ANSWER });
    const events = await collect(live.follow(0, never));
    expect(names(events)).toEqual(['search_results', 'final_answer', 'usage', 'done']);
    expect(events[1]).toMatchObject({ data: { saved: false } });
  });

  it('tells no answer when saving it went wrong in an unexpected way', async () => {
    const { live, writer } = start({ save: () => Promise.reject(new Error('a bug')) });
    writer.say({ type: 'answer', answer: ANSWER });
    expect(names(await collect(live.follow(0, never)))).toEqual(['search_results', 'error']);
  });

  it('tells no answer to a turn that was ended elsewhere', async () => {
    const { live, writer } = start({ save: async () => 'ended-elsewhere' });
    writer.say({ type: 'answer', answer: ANSWER });
    expect((await collect(live.follow(0, never))).at(-1)).toMatchObject({ data: { status: 'cancelled' } });
  });

  it('lets a reader go who leaves while nothing happens', async () => {
    const { live, writer } = start();
    const reader = new AbortController();
    const reading = collect(live.follow(0, reader.signal));
    await new Promise((resolve) => setImmediate(resolve));
    reader.abort(new ClientLeft());
    expect(names(await reading)).toEqual(['search_results']);
    writer.say({ type: 'answer', answer: ANSWER });
    await live.ended;
  });

  describe('when the time of a reader is up', () => {
    it('tells that reader so, and ends the work when nobody else reads it', async () => {
      const { live, saved } = start();
      const reader = new AbortController();
      const reading = collect(live.follow(0, reader.signal));
      await new Promise((resolve) => setImmediate(resolve));
      reader.abort(new DeadlineExceeded());
      await expect(reading).rejects.toBeInstanceOf(DeadlineExceeded);
      await live.ended;
      expect(saved).toMatchObject([{ status: 'cancelled' }]);
    });

    it('goes on for the other readers', async () => {
      const { live, writer, saved } = start();
      const hurried = new AbortController();
      const patient = collect(live.follow(0, never));
      const reading = collect(live.follow(0, hurried.signal));
      await new Promise((resolve) => setImmediate(resolve));
      hurried.abort(new DeadlineExceeded());
      await expect(reading).rejects.toBeInstanceOf(DeadlineExceeded);
      writer.say({ type: 'answer', answer: ANSWER });
      expect(names(await patient)).toEqual(['search_results', 'final_answer', 'usage', 'done']);
      expect(saved).toMatchObject([{ status: 'answered' }]);
    });
  });

  describe('when its last reader has left', () => {
    beforeEach(() => {
      jest.useFakeTimers();
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    async function leave(live: LiveTurn) {
      const reader = live.follow(0, never);
      await reader.next();
      await reader.return(undefined);
    }

    it('goes on for its grace and then ends', async () => {
      const { live, saved } = start();
      await leave(live);
      await jest.advanceTimersByTimeAsync(14_999);
      expect(saved).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      await live.ended;
      expect(saved).toMatchObject([{ status: 'cancelled' }]);
    });

    it('goes on when somebody comes back', async () => {
      const { live, writer, saved } = start();
      await leave(live);
      const reading = collect(live.follow(1, never));
      await jest.advanceTimersByTimeAsync(60_000);
      writer.say({ type: 'answer', answer: ANSWER });
      expect(names(await reading)).toEqual(['final_answer', 'usage', 'done']);
      expect(saved).toMatchObject([{ status: 'answered' }]);
    });

    it('is saved as answered when it ends meanwhile, and leaves no timer behind', async () => {
      const { live, writer, saved } = start();
      await leave(live);
      writer.say({ type: 'answer', answer: ANSWER });
      await live.ended;
      expect(saved).toMatchObject([{ status: 'answered' }]);
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});

describe('LiveTurns', () => {
  it('knows a turn until it has ended', async () => {
    const turns = new LiveTurns(new Lifecycle());
    const { live, writer } = start();
    turns.add(live);
    expect(turns.find('t1')).toBe(live);
    writer.say({ type: 'answer', answer: ANSWER });
    await live.ended;
    await Promise.resolve();
    expect(turns.find('t1')).toBeUndefined();
  });

  it('waits for turns at the end of the program, and ends those that take too long', async () => {
    jest.useFakeTimers();
    const turns = new LiveTurns(new Lifecycle());
    const { live, saved } = start();
    turns.add(live);
    const shutdown = turns.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(9_999);
    expect(saved).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await shutdown;
    expect(saved).toMatchObject([{ status: 'cancelled' }]);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('refuses new questions from the moment on that the program is draining', () => {
    const lifecycle = new Lifecycle();
    const turns = new LiveTurns(lifecycle);
    lifecycle.ready();
    expect(() => turns.assertOpen()).not.toThrow();
    lifecycle.drain();
    expect(() => turns.assertOpen()).toThrow(
      expect.objectContaining({ code: 'shutting-down', kind: 'unavailable', retryAfterMs: 1_000 }),
    );
  });
});
