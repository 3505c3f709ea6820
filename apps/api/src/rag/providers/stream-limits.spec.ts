import { jest } from '@jest/globals';
import type { ChatEvent } from './provider.js';
import { ProviderFailure, reasonOf } from './provider-failure.js';
import { type StreamLimits, withinLimits } from './stream-limits.js';

const limits: StreamLimits = { firstTokenMs: 10_000, idleMs: 15_000, totalMs: 120_000, maxChars: 20 };
const text = (text: string): ChatEvent => ({ type: 'text', text });
const end: ChatEvent = { type: 'end', usage: null };

/** A model whose tokens come at the given times, in milliseconds after the one before. */
async function* tokens(...timed: [number, ChatEvent][]): AsyncGenerator<ChatEvent> {
  for (const [afterMs, event] of timed) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    yield event;
  }
}

async function collect(stream: AsyncIterable<ChatEvent>): Promise<{ events: ChatEvent[]; error?: unknown }> {
  const events: ChatEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events };
  } catch (error) {
    return { events, error };
  }
}

describe('withinLimits', () => {
  const never = new AbortController().signal;

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  async function read(timed: [number, ChatEvent][], ms: number) {
    const result = collect(withinLimits(limits, never, () => tokens(...timed)));
    await jest.advanceTimersByTimeAsync(ms);
    return result;
  }

  it('passes a stream that keeps its limits through unchanged', async () => {
    const timed: [number, ChatEvent][] = [
      [9_999, text('You')],
      [14_999, text(' pay.')],
      [14_999, end],
    ];
    expect(await read(timed, 40_000)).toEqual({ events: [text('You'), text(' pay.'), end] });
  });

  it('gives up when the first token does not come in time', async () => {
    const { events, error } = await read([[10_001, text('late')]], 10_000);
    expect(events).toEqual([]);
    expect(reasonOf(error)).toBe('first-token-timeout');
  });

  it('gives up when the stream pauses too long', async () => {
    const { events, error } = await read(
      [
        [1, text('You')],
        [15_001, end],
      ],
      15_001,
    );
    expect(events).toEqual([text('You')]);
    expect(reasonOf(error)).toBe('idle-timeout');
  });

  it('gives up when the whole stream takes too long, however lively it is', async () => {
    const slow = Array.from({ length: 13 }, (): [number, ChatEvent] => [9_500, text('.')]);
    const { error } = await read([...slow, [1, end]], 120_000);
    expect(reasonOf(error)).toBe('total-timeout');
  });

  it('does not count the time that its reader takes', async () => {
    const stream = withinLimits(limits, never, () => tokens([1, text('You')], [1, end]));
    const first = stream.next();
    await jest.advanceTimersByTimeAsync(1);
    await first;
    await jest.advanceTimersByTimeAsync(60_000);
    const second = stream.next();
    await jest.advanceTimersByTimeAsync(1);
    expect((await second).value).toEqual(end);
  });

  it('calls a stream without its end truncated', async () => {
    const { events, error } = await read([[1, text('You')]], 1);
    expect(events).toEqual([text('You')]);
    expect(reasonOf(error)).toBe('truncated');
  });

  it('cuts off a model that never stops talking, keeps what fits, and says so', async () => {
    const cut: ChatEvent = { type: 'end', usage: null, finishReason: 'length' };
    const { events, error } = await read(
      [
        [1, text('x'.repeat(15))],
        [1, text('y'.repeat(15))],
        [1, end],
      ],
      3,
    );
    expect(events).toEqual([text('x'.repeat(15)), text('yyyyy'), cut]);
    expect(error).toBeUndefined();
  });

  it('keeps what it has when its provider sends too much of anything else', async () => {
    const tooMuch = (...before: ChatEvent[]) =>
      collect(
        withinLimits(limits, never, async function* () {
          yield* before;
          throw new ProviderFailure('too-large', 'more than any answer needs');
        }),
      );
    expect((await tooMuch(text('You'))).events.at(-1)).toMatchObject({ finishReason: 'length' });
    expect(reasonOf((await tooMuch()).error)).toBe('too-large');
  });

  it('ends with the reason of the abort when its caller leaves, also when the model does not listen', async () => {
    const caller = new AbortController();
    const result = collect(withinLimits(limits, caller.signal, () => tokens([5_000, text('You')])));
    const reason = new Error('the client left');
    caller.abort(reason);
    expect((await result).error).toBe(reason);
    await expect(withinLimits(limits, caller.signal, () => tokens()).next()).rejects.toBe(reason);
  });

  it('aborts the request when its reader stops early', async () => {
    let signal: AbortSignal | undefined;
    const stream = withinLimits(limits, never, (given) => {
      signal = given;
      return tokens([0, text('You')], [0, text(' pay')], [0, end]);
    });
    const first = stream.next();
    await jest.advanceTimersByTimeAsync(0);
    await first;
    expect(signal?.aborted).toBe(false);
    await stream.return(undefined);
    expect(signal?.aborted).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });
});
