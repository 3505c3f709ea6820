import type { ChatEvent } from './provider.js';
import { type FailureReason, ProviderFailure } from './provider-failure.js';

/** What a stream may take: times in milliseconds, size in UTF-16 code units. */
export interface StreamLimits {
  firstTokenMs: number;
  /** Between two tokens, while nobody but the provider is waited for. */
  idleMs: number;
  totalMs: number;
  maxChars: number;
}

/**
 * Reads a model's stream within its limits and makes sure that it ends properly: with its `end` event, or by an error.
 * An answer that grows past its size is cut there and ends with the finish reason `length`. The connection is released
 * as soon as the reader stops, the caller aborts or a limit is passed.
 *
 * @throws ProviderFailure past a time limit, and for a stream that stops without its `end`
 */
export async function* withinLimits(
  limits: StreamLimits,
  caller: AbortSignal,
  open: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
): AsyncGenerator<ChatEvent> {
  caller.throwIfAborted();
  const stop = new AbortController();
  const signal = AbortSignal.any([caller, stop.signal]);
  const abortion = rejectionOf(signal);
  const failAfter = (ms: number, reason: FailureReason, what: string) =>
    setTimeout(() => stop.abort(new ProviderFailure(reason, `${what} did not come within ${ms} ms`)), ms);

  const total = failAfter(limits.totalMs, 'total-timeout', 'the end of the stream');
  let gap = failAfter(limits.firstTokenMs, 'first-token-timeout', 'the first token');
  const events = open(signal)[Symbol.asyncIterator]();
  let room = limits.maxChars;
  try {
    while (true) {
      const { value: event, done } = await Promise.race([events.next(), abortion]);
      clearTimeout(gap);
      if (done) throw new ProviderFailure('truncated', 'the stream stopped without its end');
      if (event.type === 'text' && event.text.length > room) {
        yield { type: 'text', text: event.text.slice(0, room) };
        return yield CUT;
      }
      if (event.type === 'text') room -= event.text.length;
      yield event;
      if (event.type === 'end') return;
      gap = failAfter(limits.idleMs, 'idle-timeout', 'the next token');
    }
  } catch (error) {
    const hasText = room < limits.maxChars;
    if (!(hasText && error instanceof ProviderFailure && error.reason === 'too-large')) throw error;
    yield CUT;
  } finally {
    clearTimeout(total);
    clearTimeout(gap);
    stop.abort();
  }
}

const CUT: ChatEvent = { type: 'end', usage: null, finishReason: 'length' };

function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // It also rejects after the stream ended well, when nobody waits for it any more.
  rejection.catch(() => undefined);
  return rejection;
}
