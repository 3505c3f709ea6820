import { randomUUID } from 'node:crypto';
import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { lastValueFrom, of, throwError } from 'rxjs';
import type { TenantDb } from '#libs/database';
import { IdempotencyInterceptor } from '#libs/http';
import { newContext, runInContext } from '#libs/observability';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('idempotent requests on a real database', () => {
  let db: TestDatabase;
  let owner: { tenantId: string; userId: string };
  let done: number;
  let failFrom: number;
  let transactions: number;

  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    owner = await db.createTenant();
    done = 0;
    transactions = 0;
    failFrom = Infinity;
  });

  /** The database, until it fails with the transaction of the given number. */
  const failing: Pick<TenantDb, 'run'> = {
    run: (...call) => {
      transactions += 1;
      return transactions >= failFrom ? Promise.reject(new Error('no database')) : db.tenantDb.run(...call);
    },
  };
  const work: CallHandler = { handle: () => of({ number: (done += 1) }) };
  const broken: CallHandler = { handle: () => throwError(() => new Error('the work failed')) };

  function post(key: string, next: CallHandler = work, { userId, tenantId } = owner): Promise<unknown> {
    const request = { method: 'POST', url: '/v1/things', headers: { 'idempotency-key': key }, body: {} };
    const reply = { statusCode: 201, status: () => reply, header: () => reply };
    const context = {
      switchToHttp: () => ({ getRequest: () => request, getResponse: () => reply }),
      getHandler: () => post,
    } as unknown as ExecutionContext;
    const caller = Object.assign(newContext({ requestId: randomUUID() }), { tenantId, userId });
    const interceptor = new IdempotencyInterceptor(failing as TenantDb);
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

  it('are not done twice when the answer could not be kept', async () => {
    failFrom = 2;
    expect(await post('a')).toEqual({ number: 1 });
    failFrom = Infinity;
    await expect(post('a')).rejects.toMatchObject({ code: 'idempotent-request-in-progress' });
    expect(done).toBe(1);
  });

  it('can be repeated at once after the work failed', async () => {
    await expect(post('a', broken)).rejects.toThrow('the work failed');
    expect(await keysOf()).toEqual([]);
    expect(await post('a')).toEqual({ number: 1 });
  });

  it('fail with the error of the work, also when the key cannot be freed', async () => {
    failFrom = 2;
    await expect(post('a', broken)).rejects.toThrow('the work failed');
    failFrom = Infinity;
    await expect(post('a')).rejects.toMatchObject({ code: 'idempotent-request-in-progress' });
    await age('a', '3 minutes');
    expect(await post('a')).toEqual({ number: 1 });
  });
});
