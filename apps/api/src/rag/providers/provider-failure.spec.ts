import { TransientFailure } from '#libs/errors';
import { ModelRejected, providerFailure } from './provider-failure.js';

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
  it.each([408, 425, 429, 500, 502, 503, 529])('takes status %i for something that may pass', (status) => {
    expect(translate(new InternalServerError({ status }))).toBeInstanceOf(TransientFailure);
  });

  it.each([400, 401, 403, 404, 422])('takes status %i for a definite no', (status) => {
    expect(translate(new APIError({ status }))).toBeInstanceOf(ModelRejected);
  });

  it('takes an exhausted account for a definite no, although it comes as 429', () => {
    const error = translate(new APIError({ status: 429, code: 'insufficient_quota' }));
    expect(error).toBeInstanceOf(ModelRejected);
    expect((error as Error).message).toContain('429 insufficient_quota');
  });

  it('tells errors inside a stream apart by their type', () => {
    expect(translate(new APIError({ type: 'overloaded_error' }))).toBeInstanceOf(TransientFailure);
    expect(translate(new APIError({ type: 'invalid_request_error' }))).toBeInstanceOf(ModelRejected);
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
    const error = translate(new APIError({ status: 400, code: 'context_length_exceeded' })) as Error;
    expect(error.message).toBe('openai:gpt rejected the request (400 context_length_exceeded)');
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
