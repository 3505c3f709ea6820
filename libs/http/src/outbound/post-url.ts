import { type ConnectOptions, parseUrl, requestUrl } from './request-url.js';

/** What the other side said, whatever it was; the rest of its answer is of no interest, and could be anything. */
export interface Posted {
  status: number;
  /** As it asks; undefined when it does not. */
  retryAfterMs?: number;
}

const MOST_RETRY_AFTER_MS = 3_600_000;

/**
 * Posts a message to an address that a stranger gave, if that is an allowed one. A redirect is an answer as any other:
 * who moves changes the address.
 *
 * @throws UrlNotAllowed, HostNotAllowed, AddressNotAllowed, TransientFailure, FatalFailure
 */
export async function postUrl(
  address: string,
  { headers, body }: { headers: Record<string, string>; body: string },
  options: ConnectOptions,
): Promise<Posted> {
  const message = { method: 'POST' as const, headers: withLength(headers, body), body };
  const response = await requestUrl(parseUrl(address), message, options);
  const seconds = Number(response.headers['retry-after'] ?? NaN);
  response.destroy();
  const retryAfterMs = seconds >= 0 ? Math.min(seconds * 1_000, MOST_RETRY_AFTER_MS) : undefined;
  return { status: response.statusCode!, retryAfterMs };
}

const withLength = (headers: Record<string, string>, body: string) => ({
  ...headers,
  'content-length': String(Buffer.byteLength(body)),
});
