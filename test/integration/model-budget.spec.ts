import { DependencyUnavailable } from '#libs/errors';
import { ModelBudget, type Reservation } from '../../apps/api/src/rag/answering/generated/index.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('the tokens of a tenant', () => {
  let db: TestDatabase;
  let tenantId: string;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    ({ tenantId } = await db.createTenant());
  });

  const budget = (tokensPerHour: number, tokensPerDay = 0) =>
    new ModelBudget(db.tenantDb, { tokensPerHour, tokensPerDay });
  const used = async () => {
    const { rows } = await db.owner.query<{ period: string; tokens: string }>(
      'select period, tokens from model_budget where tenant_id = $1',
      [tenantId],
    );
    return Object.fromEntries(rows.map(({ period, tokens }) => [period, Number(tokens)]));
  };

  it('are set aside before a call and settled after it', async () => {
    const reservation = (await budget(1_000, 5_000).reserve(tenantId, 600)) as Reservation;
    expect(await used()).toEqual({ hour: 600, day: 600 });
    await reservation.settle(250);
    await reservation.settle(9_999);
    expect(await used()).toEqual({ hour: 250, day: 250 });
  });

  it('end where the limit is, of the hour and of the day, and leave nothing set aside then', async () => {
    const hourly = budget(1_000, 5_000);
    expect(await hourly.reserve(tenantId, 1_001)).toBe('exhausted');
    await hourly.reserve(tenantId, 900);
    expect(await hourly.reserve(tenantId, 101)).toBe('exhausted');
    expect(await budget(100_000, 950).reserve(tenantId, 100)).toBe('exhausted');
    expect(await used()).toEqual({ hour: 900, day: 900 });
  });

  it('hold for all who reserve at once, and after a restart', async () => {
    const replicas = [budget(1_000), budget(1_000)];
    const given = await Promise.all(
      Array.from({ length: 30 }, (_, i) => replicas[i % 2]!.reserve(tenantId, 100)),
    );
    expect(given.filter((one) => one !== 'exhausted')).toHaveLength(10);
    expect(await budget(1_000).reserve(tenantId, 1)).toBe('exhausted');
  });

  it('of one tenant are nothing to another', async () => {
    await budget(1_000).reserve(tenantId, 1_000);
    const other = await db.createTenant();
    expect(await budget(1_000).reserve(other.tenantId, 1_000)).not.toBe('exhausted');
    const seen = await db.tenantDb.run(other.tenantId, (tx) =>
      tx.query('select tenant_id from model_budget'),
    );
    expect(seen).toEqual([{ tenant_id: other.tenantId }]);
  });

  it('are there again in the next hour, and old hours are forgotten', async () => {
    await budget(1_000).reserve(tenantId, 1_000);
    await db.owner.query(
      `insert into model_budget select tenant_id, period, starts_at - interval '3 days', 1 from model_budget
       where tenant_id = $1`,
      [tenantId],
    );
    await db.owner.query(
      `update model_budget set starts_at = starts_at - interval '1 hour' where tenant_id = $1`,
      [tenantId],
    );
    expect(await budget(1_000).reserve(tenantId, 1_000)).not.toBe('exhausted');
    const { rowCount } = await db.owner.query('select from model_budget where tenant_id = $1', [tenantId]);
    expect(rowCount).toBe(2);
  });

  it('need no database without a limit, and are not given out without a database when there is one', async () => {
    const away = new DependencyUnavailable('postgres');
    const db = { run: () => Promise.reject(away) };
    const unlimited = new ModelBudget(db, { tokensPerHour: 0, tokensPerDay: 0 });
    await ((await unlimited.reserve(tenantId, 1_000_000)) as Reservation).settle(5);
    const limited = new ModelBudget(db, { tokensPerHour: 10, tokensPerDay: 0 });
    await expect(limited.reserve(tenantId, 1)).rejects.toBe(away);
  });

  it('stay set aside when the database goes away before they are settled', async () => {
    let isAway = false;
    const flaky: Pick<typeof db.tenantDb, 'run'> = {
      run: (...call) =>
        isAway ? Promise.reject(new DependencyUnavailable('postgres')) : db.tenantDb.run(...call),
    };
    const reservation = await new ModelBudget(flaky, { tokensPerHour: 1_000, tokensPerDay: 0 }).reserve(
      tenantId,
      700,
    );
    isAway = true;
    await (reservation as Reservation).settle(10);
    expect(await used()).toEqual({ hour: 700 });
  });
});
