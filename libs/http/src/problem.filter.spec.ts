import { jest } from '@jest/globals';
import { type ArgumentsHost, Logger } from '@nestjs/common';
import { newContext, runInContext } from '#libs/observability';
import { ProblemFilter } from './problem.filter.js';

const INTERNALS = 'relation "app_user" does not exist at /srv/app/user.store.ts with password hunter2hunter2';

describe('ProblemFilter', () => {
  afterEach(() => jest.restoreAllMocks());

  /** What somebody hears of an error that nobody expected. */
  function answerTo(error: unknown) {
    const sent = { status: 0, headers: {} as Record<string, unknown>, body: '' };
    const reply = {
      sent: false,
      raw: { headersSent: false },
      status: (status: number) => Object.assign(reply, { code: (sent.status = status) }),
      header: (name: string, value: unknown) => {
        sent.headers[name] = value;
        return reply;
      },
      hasHeader: () => false,
      send: (body: string) => (sent.body = body),
    };
    const request = { raw: { destroyed: false, complete: true } };
    const host = { switchToHttp: () => ({ getResponse: () => reply, getRequest: () => request }) };
    runInContext(newContext({ requestId: 'request-1' }), () =>
      new ProblemFilter().catch(error, host as unknown as ArgumentsHost),
    );
    return sent;
  }

  it.each([
    ['an error', new Error(INTERNALS, { cause: new Error(INTERNALS) })],
    [
      'one of the database',
      Object.assign(new Error(INTERNALS), { code: '42P01', query: INTERNALS, detail: INTERNALS }),
    ],
    ['something that is no error', { message: INTERNALS, status: 200 }],
    ['a text', INTERNALS],
    ['nothing', undefined],
  ])('tells of %s nothing but the id under which it is logged', (_, error) => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const { status, headers, body } = answerTo(error);
    expect(status).toBe(500);
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      type: '/problems/internal-error',
      title: 'internal error',
      status: 500,
      code: 'internal-error',
      detail: 'Something went wrong on our side',
      retryable: false,
      request_id: 'request-1',
    });
    expect(Logger.prototype.error).toHaveBeenCalledTimes(1);
  });
});
