import { lookup as systemLookup } from 'node:dns/promises';
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { FatalFailure, TransientFailure } from '#libs/errors';
import type { AllowedAddresses } from './addresses.js';
import {
  AddressNotAllowed,
  TooManyRedirects,
  UrlNotAllowed,
  UrlRefused,
  UrlTooLarge,
} from './outbound.errors.js';
import { suggestedName } from './suggested-name.js';

export interface OpenUrlOptions {
  allowed: AllowedAddresses;
  maxBytes: number;
  maxRedirects: number;
  /** The longest silence, before the headers and within the body. */
  idleMs: number;
  /** Ends the request and its body, whatever it is at; the total time is the caller's. */
  signal: AbortSignal;
  /** All addresses of a name; the system's resolver unless given. */
  resolve?: (hostname: string) => Promise<string[]>;
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

/**
 * Opens an address that a stranger gave, so that nothing can be reached by it that he could not reach himself: every
 * address that its name has must be allowed, the connection goes to one that was checked and to no other, and each
 * redirect is checked as the first address was.
 *
 * @throws UrlNotAllowed, AddressNotAllowed, TooManyRedirects, UrlRefused, UrlTooLarge, TransientFailure, FatalFailure
 */
export async function openUrl(address: string, options: OpenUrlOptions): Promise<OpenedUrl> {
  let url = parse(address);
  for (let redirects = 0; ; redirects += 1) {
    const response = await get(url, options);
    const next = redirectOf(response, url);
    if (!next) return opened(url, response, options);
    response.destroy();
    if (redirects === options.maxRedirects) throw new TooManyRedirects();
    url = next;
  }
}

/** @throws UrlNotAllowed */
function parse(address: string, from?: URL): URL {
  const url = URL.parse(address, from);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) throw new UrlNotAllowed();
  return url;
}

function get(url: URL, options: OpenUrlOptions): Promise<IncomingMessage> {
  // A literal is not looked up, so it is checked here. URLs have brought all its spellings into one form.
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(host) && !options.allowed.allows(host)) throw new AddressNotAllowed();
  const settings: RequestOptions = {
    // A connection of its own: a kept one could lead to where nobody looked.
    agent: false,
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'insurance-navigator' },
    lookup: checkedLookup(options),
    signal: options.signal,
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, settings, resolve);
    request.setTimeout(options.idleMs, () => request.destroy(new TransientFailure('the server is silent')));
    request.on('error', (error) => reject(failureOf(error, options.signal)));
    request.end();
  });
}

/** The addresses that are given out are the ones that were checked, and sockets connect to nothing else. */
function checkedLookup({ allowed, resolve = allAddresses }: OpenUrlOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const isAllowed = addresses.length > 0 && addresses.every((address) => allowed.allows(address));
        if (!isAllowed) return callback(new AddressNotAllowed(), '');
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        if (all) return callback(null, found);
        callback(null, found[0]!.address, found[0]!.family);
      },
      (error: Error) => callback(error, ''),
    );
  };
}

async function allAddresses(hostname: string): Promise<string[]> {
  return (await systemLookup(hostname, { all: true })).map(({ address }) => address);
}

/** Undefined when it is no redirect. */
function redirectOf({ statusCode, headers }: IncomingMessage, from: URL): URL | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode!);
  return isRedirect && headers.location !== undefined ? parse(headers.location, from) : undefined;
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

/** What does not come from us comes from the other side, or from what lies between. */
function failureOf(error: NodeJS.ErrnoException, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AddressNotAllowed || error instanceof UrlTooLarge) return error;
  if (error instanceof TransientFailure) return error;
  if (error.code === 'ECONNREFUSED') return new FatalFailure('the connection was refused', { cause: error });
  return new TransientFailure('the address could not be reached', { cause: error });
}
