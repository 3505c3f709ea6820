import { TransientFailure } from '#libs/errors';
import type { ChatEvent } from './provider.js';

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
 * The connection is released as soon as the reader stops, the caller aborts or a limit is passed.
 *
 * @throws TransientFailure past a limit, and for a stream that stops without its `end`
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
  const failAfter = (ms: number, what: string) =>
    setTimeout(() => stop.abort(new TransientFailure(`${what} did not come within ${ms} ms`)), ms);

  const total = failAfter(limits.totalMs, 'the end of the stream');
  let gap = failAfter(limits.firstTokenMs, 'the first token');
  const events = open(signal)[Symbol.asyncIterator]();
  let chars = 0;
  try {
    while (true) {
      const { value: event, done } = await Promise.race([events.next(), abortion]);
      clearTimeout(gap);
      if (done) throw new TransientFailure('the stream stopped without its end');
      if (event.type === 'text' && (chars += event.text.length) > limits.maxChars)
        throw new Error(`the stream is longer than ${limits.maxChars} characters`);
      yield event;
      if (event.type === 'end') return;
      gap = failAfter(limits.idleMs, 'the next token');
    }
  } finally {
    clearTimeout(total);
    clearTimeout(gap);
    stop.abort();
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // It also rejects after the stream ended well, when nobody waits for it any more.
  rejection.catch(() => undefined);
  return rejection;
}
