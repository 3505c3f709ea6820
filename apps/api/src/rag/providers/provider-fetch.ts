import { failureOf, ProviderFailure } from './provider-failure.js';

export interface FetchRules {
  /** For messages. */
  provider: string;
  /** Of a good answer. */
  contentType: 'text/event-stream' | 'application/json';
  /** Of a whole answer. */
  maxBytes: number;
  /** Of a line of an answer, which is an event; unlimited unless given. */
  maxLineBytes?: number;
  /** What a good answer ends with. A body that ends without it is truncated, whatever it says about itself. */
  sentinel?: string;
}

/** A token in an event of 300 bytes, for each character of the longest answer that we take. */
export const MAX_STREAM_BYTES = 20_000_000;
/** No token is longer. */
export const MAX_EVENT_BYTES = 262_144;

/**
 * fetch for what comes from providers, whom we do not trust: it follows no redirect, takes only the content type that
 * was asked for and only UTF-8, and stops reading at the limits.
 *
 * @throws ProviderFailure, also while the body is read
 */
export function providerFetch(rules: FetchRules): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    const { status } = response;
    const refuse = async (reason: 'redirected' | 'wrong-content-type', what: string) => {
      await response.body?.cancel().catch(() => undefined);
      return new ProviderFailure(reason, `${rules.provider} ${what}`);
    };
    if (status >= 300 && status < 400)
      throw await refuse('redirected', `answered with a redirect (${status})`);
    if (!response.ok) return limited(response, { provider: rules.provider, maxBytes: MAX_ERROR_BYTES });
    const type = response.headers.get('content-type')?.split(';')[0]!.trim().toLowerCase();
    if (type !== rules.contentType)
      throw await refuse(
        'wrong-content-type',
        `answered with another content type than ${rules.contentType}`,
      );
    return limited(response, rules);
  };
}

/** Of an answer that is none. */
const MAX_ERROR_BYTES = 65_536;

/**
 * Asks for the list of models: cheap, and it costs no tokens. A server that has no such list is there all the same.
 *
 * @throws ProviderFailure, Overloaded, FatalFailure, and what fetch throws, unless the provider is alive and lets us in
 */
export async function pingProvider(
  provider: string,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, { headers, signal, redirect: 'manual' });
  await response.body?.cancel();
  if (response.ok || response.status === 404 || response.status === 405) return;
  throw failureOf(provider, { status: response.status, text: '' });
}

function limited(
  response: Response,
  { provider, maxBytes, maxLineBytes = Infinity, sentinel }: Omit<FetchRules, 'contentType'>,
): Response {
  if (!response.body) return response;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let lineBytes = 0;
  let end = '';

  const read = (chunk: Uint8Array | undefined) => {
    try {
      const text = decoder.decode(chunk, { stream: chunk !== undefined });
      if (sentinel) end = (end + text.slice(-END_LENGTH)).slice(-END_LENGTH);
    } catch {
      throw new ProviderFailure('malformed', `${provider} sent bytes that are no UTF-8`);
    }
  };
  const checkSize = (chunk: Uint8Array) => {
    bytes += chunk.length;
    const lastBreak = chunk.lastIndexOf(LINE_FEED);
    lineBytes = lastBreak === -1 ? lineBytes + chunk.length : chunk.length - lastBreak - 1;
    if (bytes > maxBytes || lineBytes > maxLineBytes)
      throw new ProviderFailure('too-large', `${provider} sent more than any answer needs`);
  };
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        checkSize(chunk);
        read(chunk);
        controller.enqueue(chunk);
      },
      flush() {
        read(undefined);
        if (sentinel && !end.trimEnd().endsWith(sentinel))
          throw new ProviderFailure('truncated', `${provider} stopped before ${sentinel}`);
      },
    }),
  );
  return new Response(body, response);
}

const LINE_FEED = 10;
/** Enough for the sentinel and the white space behind it. */
const END_LENGTH = 64;
