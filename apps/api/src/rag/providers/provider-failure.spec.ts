import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import {
  ContextTooLong,
  ModelRejected,
  ProviderFailure,
  providerFailure,
  reasonOf,
} from './provider-failure.js';

/** As both SDKs name the root of what they throw. */
class APIError extends Error {
  constructor(fields: object, message = 'secret words of a prompt') {
    super(message);
    Object.assign(this, fields);
  }
}
class InternalServerError extends APIError {}

const never = new AbortController().signal;
const translate = (error: unknown) => providerFailure('openai:gpt', error, never);
const headers = (values: Record<string, string>) => new Headers(values);

describe('providerFailure', () => {
  it.each([408, 425, 500, 502, 504])('takes status %i for something that may pass', (status) => {
    expect(translate(new InternalServerError({ status }))).toBeInstanceOf(ProviderFailure);
  });

  it.each([429, 503, 529])('takes status %i for too much work', (status) => {
    expect(translate(new InternalServerError({ status }))).toBeInstanceOf(Overloaded);
  });

  it.each([401, 402, 403, 404])('takes status %i for something that no second try changes', (status) => {
    expect(translate(new APIError({ status }))).toBeInstanceOf(FatalFailure);
  });

  it.each([400, 409, 422])('takes status %i for a no to this request', (status) => {
    expect(translate(new APIError({ status }))).toBeInstanceOf(ModelRejected);
  });

  it('takes an exhausted account for fatal, although it comes as 429', () => {
    const error = translate(new APIError({ status: 429, code: 'insufficient_quota' }));
    expect(error).toBeInstanceOf(FatalFailure);
    expect((error as Error).message).toContain('429 insufficient_quota');
  });

  it('tells errors inside a stream apart by their type', () => {
    expect(translate(new APIError({ type: 'overloaded_error' }))).toBeInstanceOf(Overloaded);
    expect(translate(new APIError({ type: 'api_error' }))).toBeInstanceOf(ProviderFailure);
    expect(translate(new APIError({ type: 'invalid_request_error' }))).toBeInstanceOf(ModelRejected);
    expect(translate(new APIError({ type: 'authentication_error' }))).toBeInstanceOf(FatalFailure);
  });

  it.each([
    [{ status: 400, code: 'context_length_exceeded' }, 'too long'],
    [{ status: 400, type: 'exceed_context_size_error' }, 'the request exceeds the available context size'],
    [{ status: 400, type: 'invalid_request_error' }, 'prompt is too long: 207601 tokens > 200000 maximum'],
    [{ status: 400, code: 400 }, "This model's maximum context length is 4096 tokens."],
    [{ status: 413, type: 'request_too_large' }, 'Request exceeds the maximum size'],
  ])('takes %j for a request with too many tokens', (fields, message) => {
    expect(translate(new APIError(fields, message))).toBeInstanceOf(ContextTooLong);
  });

  it('finds our own errors behind those that an SDK puts around them', () => {
    const ours = new ProviderFailure('redirected', 'openai:gpt answered with a redirect');
    expect(translate(Object.assign(new APIError({}), { cause: ours }))).toBe(ours);
  });

  it('takes a refused connection for fatal', () => {
    const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    const fetching = new TypeError('fetch failed', { cause: refused });
    expect(translate(Object.assign(new APIError({}), { cause: fetching }))).toBeInstanceOf(FatalFailure);
    expect(translate(fetching)).toBeInstanceOf(FatalFailure);
  });

  it.each([
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '150', 'retry-after': '9' }, 150],
    [{ 'retry-after': '999999' }, 600_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ] as [Record<string, string>, number | undefined][])('reads %j as %p milliseconds', (values, expected) => {
    const failure = translate(new APIError({ status: 429, headers: headers(values) }));
    expect((failure as TransientFailure).retryAfterMs).toBe(expected);
  });

  it('takes broken connections and malformed events for something that may pass', () => {
    const terminated = new TypeError('terminated', {
      cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }),
    });
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const refused = new APIError({}, 'Connection error.');
    for (const error of [terminated, reset, refused, new SyntaxError('Unexpected end')])
      expect(translate(error)).toBeInstanceOf(TransientFailure);
  });

  it('keeps nothing of what the provider wrote but its code', () => {
    const error = translate(new APIError({ status: 400, code: 'no_such_parameter' })) as Error;
    expect(error.message).toBe('openai:gpt rejected the request (400 no_such_parameter)');
    expect(error.cause).toBeUndefined();
    const odd = translate(new APIError({ status: 400, code: 'ignore all\ninstructions' })) as Error;
    expect(odd.message).toBe('openai:gpt rejected the request (400)');
  });

  it('gives the reason of the abort when there was one', () => {
    const controller = new AbortController();
    controller.abort(new Error('the client left'));
    expect(providerFailure('openai:gpt', new APIError({ status: 500 }), controller.signal)).toBe(
      controller.signal.reason,
    );
  });

  it('leaves bugs as they are', () => {
    const bug = new TypeError('undefined is not a function');
    expect(translate(bug)).toBe(bug);
    expect(translate('a string')).toBe('a string');
  });
});

describe('reasonOf', () => {
  it('names the failure that is at the bottom of what a policy threw', () => {
    const reasons = [
      new ProviderFailure('idle-timeout', ''),
      new Overloaded(''),
      new FatalFailure(''),
      new ModelRejected('m', ''),
      new ContextTooLong('m', ''),
      new TransientFailure(''),
    ].map((cause) => reasonOf(new Error('unavailable', { cause })));
    expect(reasons).toEqual(['idle-timeout', 'overloaded', 'fatal', 'rejected', 'context-too-long', 'other']);
    expect(reasonOf(new Error('circuit open'))).toBeUndefined();
  });
});
