import { createLogger, NestLogger } from './logger.js';
import { newContext, runInContext } from './request-context.js';

function capture(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { lines, logger: new NestLogger(createLogger({ level, destination })) };
}

describe('the logger', () => {
  it('writes JSON with the ids of the request that it belongs to', () => {
    const { lines, logger } = capture();
    const context = { ...newContext({ requestId: 'r-1', correlationId: 'c-1' }), tenantId: 't-1' };
    runInContext(context, () => logger.log({ pages: 3 }, 'extracted', 'ingestion'));
    expect(lines[0]).toMatchObject({
      level: 'info',
      request_id: 'r-1',
      correlation_id: 'c-1',
      tenant_id: 't-1',
      logger: 'ingestion',
      msg: 'extracted',
      pages: 3,
    });
  });

  it('keeps secrets and what people wrote out of a line, however deep they are', () => {
    const { lines, logger } = capture();
    logger.log(
      { password: 'hunter2', request: { authorization: 'Bearer x', user: { email: 'a@b.c' } } },
      'login',
    );
    logger.warn({ question: 'Is my depression covered?', answer: 'yes' }, 'asked');
    logger.warn({ tries: [{ token: 'tok-1' }, { by: { token: 'tok-2' } }] }, 'tried');
    logger.warn({ a: { b: { c: { d: { email: 'a@b.c' } } } } }, 'nested');
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|Bearer|a@b\.c|depression|tok-/);
    expect(lines[0]).toMatchObject({ password: '[redacted]', request: { user: { email: '[redacted]' } } });
  });

  it('leaves what is no secret as it was given', () => {
    const { lines, logger } = capture();
    const fields = { pages: 3, reasons: ['empty', null], since: new Date(0), sizes: { bytes: 5 } };
    logger.log(fields, 'extracted');
    expect(lines[0]).toMatchObject({ ...fields, since: '1970-01-01T00:00:00.000Z' });
    expect(fields.sizes).toEqual({ bytes: 5 });
  });

  it('writes an error with its stack and without a level that nobody asked for', () => {
    const { lines, logger } = capture('warn');
    logger.log('hidden');
    logger.error(new TypeError('broken'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'error', err: { type: 'TypeError', message: 'broken' } });
  });

  it('tells of a database error its code and place, and none of the values it quotes', () => {
    const { lines, logger } = capture();
    const driverError = Object.assign(new Error('Key (email)=(jane@example.com) already exists'), {
      code: '23505',
      severity: 'ERROR',
      table: 'app_user',
      constraint: 'app_user_email_key',
      detail: 'Failing row contains (Jane, diabetes)',
    });
    const error = Object.assign(new Error('duplicate: jane@example.com', { cause: driverError }), {
      name: 'QueryFailedError',
      query: 'insert …',
      parameters: ['Jane', 'diabetes'],
      driverError,
    });
    logger.error(error);
    logger.warn(new Error('the job failed', { cause: error }));
    expect(JSON.stringify(lines)).not.toMatch(/jane|diabetes/i);
    expect(lines[0]).toMatchObject({
      err: { type: 'QueryFailedError', code: '23505', table: 'app_user', constraint: 'app_user_email_key' },
    });
    expect(lines[1]).toMatchObject({
      err: { message: 'the job failed', cause: { type: 'QueryFailedError' } },
    });
  });

  it('does not repeat what a parser could not parse', () => {
    const { lines, logger } = capture();
    try {
      JSON.parse('Jane Doe');
    } catch (error) {
      logger.error(error);
    }
    expect(lines[0]).toMatchObject({ err: { type: 'SyntaxError' } });
    expect(JSON.stringify(lines)).not.toContain('Jane');
  });

  it.each(['fatal', 'debug', 'verbose'] as const)('maps %s to a level of its own', (method) => {
    const { lines, logger } = capture('trace');
    logger[method]('message', 'context');
    expect(lines[0]).toMatchObject({ msg: 'message', logger: 'context' });
  });
});
