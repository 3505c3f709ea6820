import type { IncomingMessage } from 'node:http';
import { TransientFailure } from '#libs/errors';
import { TooManyRedirects, UrlRefused, UrlTooLarge } from './outbound.errors.js';
import { type ConnectOptions, failureOf, parseUrl, requestUrl } from './request-url.js';
import { suggestedName } from './suggested-name.js';

export interface OpenUrlOptions extends ConnectOptions {
  maxBytes: number;
  maxRedirects: number;
}

export interface OpenedUrl {
  /** Where it was found in the end. */
  url: URL;
  /** From outside, and to be cleaned. */
  suggestedName: string | undefined;
  /** As the server claims. */
  contentType: string | undefined;
  /** Reading it throws UrlTooLarge and TransientFailure. Whoever does not read it to the end leaves the loop. */
  content: AsyncIterable<Uint8Array>;
}

/** What was compressed could be a bomb. */
const AS_IT_IS = { 'accept-encoding': 'identity' };

/**
 * Opens an address that a stranger gave, so that nothing can be reached by it that he could not reach himself: every
 * address that its name has must be allowed, the connection goes to one that was checked and to no other, and each
 * redirect is checked as the first address was.
 *
 * @throws UrlNotAllowed, HostNotAllowed, AddressNotAllowed, TooManyRedirects, UrlRefused, UrlTooLarge, TransientFailure, FatalFailure
 */
export async function openUrl(address: string, options: OpenUrlOptions): Promise<OpenedUrl> {
  let url = parseUrl(address);
  for (let redirects = 0; ; redirects += 1) {
    const response = await requestUrl(url, { headers: AS_IT_IS }, options);
    const next = redirectOf(response, url);
    if (!next) return opened(url, response, options);
    response.destroy();
    if (redirects === options.maxRedirects) throw new TooManyRedirects();
    url = next;
  }
}

/** Undefined when it is no redirect. */
function redirectOf({ statusCode, headers }: IncomingMessage, from: URL): URL | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode!);
  return isRedirect && headers.location !== undefined ? parseUrl(headers.location, from) : undefined;
}

function opened(url: URL, response: IncomingMessage, options: OpenUrlOptions): OpenedUrl {
  try {
    assertFile(response, options.maxBytes);
  } catch (error) {
    response.destroy();
    throw error;
  }
  const { headers } = response;
  return {
    url,
    suggestedName: suggestedName(url, headers['content-disposition']),
    contentType: headers['content-type']?.split(';')[0]!.trim().toLowerCase(),
    content: read(response, options),
  };
}

function assertFile({ statusCode = 0, headers }: IncomingMessage, maxBytes: number): void {
  if (statusCode === 429 || statusCode >= 500)
    throw new TransientFailure(`the server answered ${statusCode}`);
  const isEncoded = !/^(identity)?$/i.test(headers['content-encoding'] ?? '');
  if (statusCode !== 200 || isEncoded) throw new UrlRefused(statusCode);
  if (Number(headers['content-length']) > maxBytes) throw new UrlTooLarge(maxBytes);
}

async function* read(
  response: IncomingMessage,
  { maxBytes, signal }: OpenUrlOptions,
): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw new UrlTooLarge(maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw failureOf(error as NodeJS.ErrnoException, signal);
  }
}
