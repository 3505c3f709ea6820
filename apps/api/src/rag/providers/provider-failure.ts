import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';

/** How a provider failed; a label of metrics. */
export type FailureReason =
  | 'first-token-timeout'
  | 'idle-timeout'
  | 'total-timeout'
  /** It sends more than any answer needs. */
  | 'too-large'
  /** It stopped without saying that it finished. */
  | 'truncated'
  /** Not JSON, not UTF-8, not what the protocol says. */
  | 'malformed'
  | 'wrong-content-type'
  /** It points elsewhere. We never follow: who can make a provider answer so could make us call our own network. */
  | 'redirected'
  | 'server-error'
  | 'connection';

/** The provider failed in a way that may pass by itself. */
export class ProviderFailure extends TransientFailure {
  constructor(
    readonly reason: FailureReason,
    message: string,
  ) {
    super(message);
  }
}

/** The provider said no to this request and would say so again, and yes to others: a refused prompt, a wrong parameter. */
export class ModelRejected extends Error {
  constructor(provider: string, reason: string) {
    super(`${provider} rejected the request (${reason})`);
    this.name = new.target.name;
  }
}

/** The request has more tokens than the model reads: a shorter one may do. */
export class ContextTooLong extends ModelRejected {}

/**
 * Translates what a provider's SDK threw. Messages of providers may repeat the prompt, so only status and error code
 * are kept, and the SDK's error is not attached.
 *
 * @returns the signal's reason after an abort; Overloaded, FatalFailure or ProviderFailure for what is wrong with the
 * provider; ModelRejected for what is wrong with the request; any other error unchanged, because it is a bug
 */
export function providerFailure(provider: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const causes = causesOf(error);
  // What our own fetch threw comes back wrapped by the SDK.
  const ours = causes.find((cause) => cause instanceof TransientFailure || cause instanceof ModelRejected);
  if (ours) return ours;
  const [first] = causes;
  if (!first) return error;
  if (first.name === 'SyntaxError')
    return new ProviderFailure('malformed', `${provider} sent a malformed event`);

  const { status, headers, code } = readSdkError(first);
  if (status !== undefined)
    return failureOf(provider, { status, code, retryAfterMs: retryAfterMs(headers), text: first.message });
  if (code && isSdkError(first)) return failureOf(provider, { code, text: first.message });
  return connectionFailure(provider, causes) ?? (isSdkError(first) ? broken(provider) : error);
}

/** A provider's no, as it is told by an answer's status or by an event inside a stream. */
export interface Refusal {
  /** None inside a stream. */
  status?: number;
  code?: string;
  retryAfterMs?: number;
  /** The provider's words: looked at, never kept. */
  text: string;
}

/** What a refusal means for the provider's policy. */
export function failureOf(provider: string, { status, code = '', retryAfterMs, text }: Refusal): Error {
  const summary = [status, code].filter(Boolean).join(' ');
  const answered = `${provider} answered ${summary}`;
  if (TOO_LONG_CODES.has(code) || (isRequestFault(status, code) && TOO_LONG.test(text)))
    return new ContextTooLong(provider, summary);
  if (FATAL_CODES.has(code)) return new FatalFailure(answered);
  if (REJECTED_CODES.has(code)) return new ModelRejected(provider, summary);
  if (OVERLOADED_CODES.has(code) || (status !== undefined && OVERLOADED_STATUS.has(status)))
    return new Overloaded(answered, { retryAfterMs });
  if (status === undefined || status >= 500 || status === 408 || status === 425)
    return new ProviderFailure('server-error', answered);
  return FATAL_STATUS.has(status) ? new FatalFailure(answered) : new ModelRejected(provider, summary);
}

/** For the label of a metric; undefined when it was not the model that failed. */
export function reasonOf(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    if (cause instanceof ProviderFailure) return cause.reason;
    if (cause instanceof Overloaded) return 'overloaded';
    if (cause instanceof FatalFailure) return 'fatal';
    if (cause instanceof ContextTooLong) return 'context-too-long';
    if (cause instanceof ModelRejected) return 'rejected';
    if (cause instanceof TransientFailure) return 'other';
  }
  return undefined;
}

/** Does not let us in, or has no such model: nothing that a second try would change. */
const FATAL_STATUS = new Set([401, 402, 403, 404]);
const FATAL_CODES = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_error',
  'authentication_error',
  'invalid_api_key',
  'permission_error',
  'not_found_error',
  'model_not_found',
]);
/** 529 is Anthropic's "overloaded". */
const OVERLOADED_STATUS = new Set([429, 503, 529]);
const OVERLOADED_CODES = new Set(['overloaded_error', 'rate_limit_error', 'rate_limit_exceeded']);
/** These say no for good even with a status that looks transient, or inside a stream, where there is no status. */
const REJECTED_CODES = new Set(['invalid_request_error', 'content_filter']);
const TOO_LONG_CODES = new Set([
  'context_length_exceeded',
  'context_window_exceeded',
  'exceed_context_size_error',
  'request_too_large',
]);
/** Anthropic, vLLM and others say it in words only. */
const TOO_LONG =
  /context (?:length|window|size)|prompt is too long|too many (?:input )?tokens|maximum.{0,20}tokens/i;

const isRequestFault = (status: number | undefined, code: string) =>
  status === 400 || status === 413 || status === 422 || (status === undefined && REJECTED_CODES.has(code));

/** The error and what it was caused by. By shape and not by class: fetch may belong to another realm. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  let cause = error;
  while (isErrorLike(cause) && causes.length < MOST_CAUSES) {
    causes.push(cause);
    cause = cause.cause;
  }
  return causes;
}

const MOST_CAUSES = 8;

const isErrorLike = (error: unknown): error is Error =>
  typeof error === 'object' && error !== null && 'name' in error && 'message' in error;

interface SdkError {
  status?: number;
  headers?: Headers;
  code?: string;
}

function readSdkError(error: Error): SdkError {
  const { status, headers, code, type } = error as Error & Record<string, unknown>;
  return {
    status: typeof status === 'number' ? status : undefined,
    headers: headers instanceof Headers ? headers : undefined,
    code: codeOf(code, type),
  };
}

/** The first that looks like a code: it comes from outside and goes into a message. */
export const codeOf = (...values: unknown[]): string | undefined =>
  values.find((value): value is string => typeof value === 'string' && /^\w{1,64}$/.test(value));

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

const broken = (provider: string) => new ProviderFailure('connection', `the connection to ${provider} broke`);

/** What fetch throws: `TypeError: fetch failed` or, while a body is read, `terminated`; the socket's error is its cause. */
function connectionFailure(provider: string, causes: readonly Error[]): TransientFailure | undefined {
  const codes = causes.map(({ code }: Error & { code?: unknown }) => code);
  if (codes.includes('ECONNREFUSED')) return new FatalFailure(`${provider} refused the connection`);
  const isNetwork = codes.some((code) => typeof code === 'string' && /^(UND_ERR|E[A-Z_]{4,})/.test(code));
  const isFetch = causes.some(({ message }) => message === 'terminated' || message === 'fetch failed');
  return isNetwork || isFetch ? broken(provider) : undefined;
}

const LONGEST_RETRY_AFTER_MS = 600_000;

/** `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110). */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  const text = headers?.get('retry-after') ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  const ms = Number.isNaN(exact) ? seconds : exact;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
