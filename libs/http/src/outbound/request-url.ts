import { lookup as systemLookup } from 'node:dns/promises';
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { FatalFailure, TransientFailure } from '#libs/errors';
import type { AllowedAddresses } from './addresses.js';
import { AddressNotAllowed, HostNotAllowed, UrlNotAllowed, UrlTooLarge } from './outbound.errors.js';

export interface ConnectOptions {
  allowed: AllowedAddresses;
  /** The longest silence, before the headers and within the body. */
  idleMs: number;
  /** Ends the request and its body, whatever it is at; the total time is the caller's. */
  signal: AbortSignal;
  /** All addresses of a name; the system's resolver unless given. */
  resolve?: (hostname: string) => Promise<string[]>;
}

export interface Message {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
}

/** @throws UrlNotAllowed */
export function parseUrl(address: string, from?: URL): URL {
  const url = URL.parse(address, from?.href);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) throw new UrlNotAllowed();
  return url;
}

/**
 * Sends one request to an address that a stranger gave. The connection goes to an address that was checked and to no
 * other; redirects are for the caller.
 *
 * @throws HostNotAllowed, AddressNotAllowed, TransientFailure, FatalFailure
 */
export function requestUrl(
  url: URL,
  { method = 'GET', headers = {}, body }: Message,
  options: ConnectOptions,
): Promise<IncomingMessage> {
  // A literal is not looked up, so it is checked here. URLs have brought all its spellings into one form.
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (!options.allowed.allowsHost(host)) throw new HostNotAllowed();
  if (isIP(host) && !options.allowed.allows(host)) throw new AddressNotAllowed();
  const settings: RequestOptions = {
    // A connection of its own: a kept one could lead to where nobody looked.
    agent: false,
    method,
    headers: { accept: '*/*', 'user-agent': 'insurance-navigator', ...headers },
    lookup: checkedLookup(options),
    signal: options.signal,
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, settings, resolve);
    request.setTimeout(options.idleMs, () => request.destroy(new TransientFailure('the server is silent')));
    request.on('error', (error) => reject(failureOf(error, options.signal)));
    request.end(body);
  });
}

/** The addresses that are given out are the ones that were checked, and sockets connect to nothing else. */
function checkedLookup({ allowed, resolve = allAddresses }: ConnectOptions): LookupFunction {
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

/** What does not come from us comes from the other side, or from what lies between. */
export function failureOf(error: NodeJS.ErrnoException, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AddressNotAllowed || error instanceof UrlTooLarge) return error;
  if (error instanceof TransientFailure) return error;
  if (error.code === 'ECONNREFUSED') return new FatalFailure('the connection was refused', { cause: error });
  return new TransientFailure('the address could not be reached', { cause: error });
}
