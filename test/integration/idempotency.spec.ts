import { randomUUID } from 'node:crypto';
import { BadRequestException, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { lastValueFrom, of, throwError } from 'rxjs';
import type { TenantDb } from '#libs/database';
import { DependencyUnavailable } from '#libs/errors';
import { IdempotencyInterceptor, newResourceId } from '#libs/http';
import { newContext, runInContext } from '#libs/observability';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('idempotent requests on a real database', () => {
  let db: TestDatabase;
  let owner: { tenantId: string; userId: string };
  let done: number;
  let failFrom: number;
  let transactions: number;
  let made: string[];
  let interceptor: IdempotencyInterceptor;

  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    owner = await db.createTenant();
    done = 0;
    transactions = 0;
    failFrom = Infinity;
    made = [];
    interceptor = new IdempotencyInterceptor(failing as TenantDb);
  });

  /** The database, until it fails with the transaction of the given number. */
  const count = <T>(transaction: () => Promise<T>): Promise<T> => {
    transactions += 1;
    return transactions >= failFrom ? Promise.reject(new Error('no database')) : transaction();
  };
  const failing: Pick<TenantDb, 'read' | 'runStatements'> = {
    read: (...call) => count(() => db.tenantDb.read(...call)),
    runStatements: (...call) => count(() => db.tenantDb.runStatements(...call)),
  };
  const work: CallHandler = { handle: () => of({ number: (done += 1) }) };
  const making: CallHandler = { handle: () => of({ id: newResourceId() }) };
  const refused: CallHandler = { handle: () => throwError(() => new BadRequestException('refused')) };
  /** The thing was made, or was not: the connection was lost. */
  const cut: CallHandler = {
    handle: () => {
      made.push(newResourceId());
      return throwError(() => new DependencyUnavailable('postgres'));
    },
  };

  function post(
    key: string,
    next: CallHandler = work,
    { userId, tenantId } = owner,
    body: object = {},
  ): Promise<unknown> {
    const request = { method: 'POST', url: '/v1/things', headers: { 'idempotency-key': key }, body };
    const reply = { statusCode: 201, status: () => reply, header: () => reply };
    const context = {
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
      getHandler: () => post,
    } as unknown as ExecutionContext;
    const caller = Object.assign(newContext({ requestId: randomUUID() }), { tenantId, userId });
    return runInContext(caller, () => lastValueFrom(interceptor.intercept(context, next)));
  }

  const age = (key: string, interval: string) =>
    db.owner.query(
      `update idempotent_request set created_at = now() - $3::interval where user_id = $1 and key = $2`,
      [owner.userId, key, interval],
    );
  const keysOf = async ({ userId } = owner) => {
    const { rows } = await db.owner.query<{ key: string }>(
      `select key from idempotent_request where user_id = $1 order by key`,
      [userId],
    );
    return rows.map(({ key }) => key);
  };

  it('are answered again within a day without being done again', async () => {
    expect(await post('a')).toEqual({ number: 1 });
    await age('a', '23 hours');
    expect(await post('a')).toEqual({ number: 1 });
    await age('a', '25 hours');
    expect(await post('a')).toEqual({ number: 2 });
  });

  it('are kept no longer than a day once their user sends another one', async () => {
    const other = await db.createTenant();
    await post('other', work, other);
    await db.owner.query(`update idempotent_request set created_at = now() - interval '2 days'`);
    for (const key of ['old', 'older', 'recent']) await post(key);
    await age('old', '25 hours');
    await age('older', '9 days');
    await age('recent', '1 hour');
    await post('new');
    expect(await keysOf()).toEqual(['new', 'recent']);
    expect(await keysOf(other)).toEqual(['other']);
  });

  it('make the same thing again, and no other one, when their answer could not be kept', async () => {
    failFrom = 2;
    const first = await post('a', making);
    failFrom = Infinity;
    expect(await post('a', making)).toEqual(first);
    expect(await post('a', making)).toEqual(first);
    expect(await post('b', making)).not.toEqual(first);
  });

  it('can be repeated at once, also in another form, after they were refused', async () => {
    await expect(post('a', refused)).rejects.toThrow('refused');
    expect(await keysOf()).toEqual([]);
    expect(await post('a', work, owner, { other: true })).toEqual({ number: 1 });
  });

  it('make the same thing when they are repeated after nobody knew how they ended', async () => {
    await expect(post('a', cut)).rejects.toThrow();
    await expect(post('a', cut)).rejects.toThrow();
    expect(await post('a', making)).toEqual({ id: made[0] });
    expect(new Set(made).size).toBe(1);
    await expect(post('a', making, owner, { other: true })).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
  });

  it('are taken over by another process at once when this one says so, else after two minutes', async () => {
    const other = new IdempotencyInterceptor(db.tenantDb);
    await expect(post('said', cut)).rejects.toThrow();
    failFrom = transactions + 2;
    await expect(post('unsaid', cut)).rejects.toThrow();
    failFrom = Infinity;
    interceptor = other;
    expect(await post('said', making)).toEqual({ id: made[0] });
    await expect(post('unsaid', making)).rejects.toMatchObject({ code: 'idempotent-request-in-progress' });
    await db.owner.query(`update idempotent_request set claimed_at = now() - interval '3 minutes'`);
    expect(await post('unsaid', making)).toEqual({ id: made[1] });
  });

  it('are done by one of those who ask at the same time', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => post('a')));
    const answers = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(done).toBe(1);
    expect(answers.length).toBeGreaterThan(0);
  });
});
