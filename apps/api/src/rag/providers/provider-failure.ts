import { TransientFailure } from '#libs/errors';

/** The provider said no, and would say so again: a wrong key, an unknown model, a refused prompt. */
export class ModelRejected extends Error {
  constructor(provider: string, reason: string) {
    super(`${provider} rejected the request (${reason})`);
    this.name = 'ModelRejected';
  }
}

/**
 * Translates what a provider's SDK threw. Messages of providers may repeat the prompt, so only status and error code
 * are kept, and the SDK's error is not attached.
 *
 * @returns the signal's reason after an abort; TransientFailure for what may pass by itself; ModelRejected for a
 * definite no; any other error unchanged, because it is a bug
 */
export function providerFailure(provider: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof TransientFailure || error instanceof ModelRejected) return error;
  if (!isErrorLike(error)) return error;
  if (error.name === 'SyntaxError') return new TransientFailure(`${provider} sent a malformed event`);

  const { status, headers, code } = readSdkError(error);
  if (status !== undefined) {
    const summary = code ? `${status} ${code}` : String(status);
    return isTransientStatus(status) && !DEFINITE_CODES.has(code ?? '')
      ? new TransientFailure(`${provider} answered ${summary}`, { retryAfterMs: retryAfterMs(headers) })
      : new ModelRejected(provider, summary);
  }
  if (code && DEFINITE_CODES.has(code)) return new ModelRejected(provider, code);
  if (isSdkError(error))
    return new TransientFailure(`${provider} failed in its stream${code ? ` (${code})` : ''}`);
  if (isNetworkError(error)) return new TransientFailure(`the connection to ${provider} broke`);
  return error;
}

/** By shape and not by class: fetch may belong to another realm, whose `Error` is not ours. */
const isErrorLike = (error: unknown): error is Error =>
  typeof error === 'object' && error !== null && 'name' in error && 'message' in error;

/** 408 and 425 ask for another try, 429 for a later one; 5xx includes Anthropic's 529 "overloaded". */
const isTransientStatus = (status: number) =>
  status === 408 || status === 425 || status === 429 || status >= 500;

/** These say no for good even with a status that looks transient, or inside a stream, where there is no status. */
const DEFINITE_CODES = new Set([
  'insufficient_quota',
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'not_found_error',
  'content_filter',
]);

interface SdkError {
  status?: number;
  headers?: Headers;
  code?: string;
}

function readSdkError(error: Error): SdkError {
  const { status, headers, code, type } = error as Error & Record<string, unknown>;
  const name = [code, type].find((value): value is string => typeof value === 'string');
  return {
    status: typeof status === 'number' ? status : undefined,
    headers: headers instanceof Headers ? headers : undefined,
    // It comes from outside and goes into a message, so it must look like a code.
    code: name && /^\w{1,64}$/.test(name) ? name : undefined,
  };
}

/** Both SDKs derive every error about a response or a connection from a class of this name. */
function isSdkError(error: Error): boolean {
  for (
    let proto: unknown = error.constructor;
    typeof proto === 'function';
    proto = Object.getPrototypeOf(proto)
  )
    if (/^_?APIError$/.test(proto.name)) return true;
  return false;
}

/** What fetch throws while a body is read: `TypeError: terminated` with the socket's error as its cause. */
function isNetworkError(error: Error): boolean {
  const code = (error as { code?: unknown }).code ?? (error.cause as { code?: unknown } | undefined)?.code;
  return error.message === 'terminated' || (typeof code === 'string' && /^(UND_ERR|E[A-Z]{4,})/.test(code));
}

const LONGEST_RETRY_AFTER_MS = 600_000;

/** `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110). */
function retryAfterMs(headers: Headers | undefined): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  const text = headers?.get('retry-after') ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  const ms = Number.isNaN(exact) ? seconds : exact;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
