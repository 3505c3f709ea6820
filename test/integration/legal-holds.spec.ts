import { LegalHolds } from '#libs/audit';
import { until } from '../support/faulty-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('a legal hold and those who erase', () => {
  let db: TestDatabase;
  const holds = new LegalHolds();
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db?.close());

  it('come one after the other: nothing goes once the hold is there', async () => {
    const { tenantId, userId } = await db.createTenant();
    const other = await db.createTenant();
    const place = (tenant: string) =>
      db.tenantDb.run(tenant, (tx) =>
        holds.place(tx, tenant, { scope: 'user', subject: userId, reason: 'case 8', placedBy: userId }),
      );
    const order: string[] = [];
    let placing: Promise<unknown> | undefined;
    await db.tenantDb.run(tenantId, async (tx) => {
      await holds.assertNone(tx, { tenantId, userId });
      placing = place(tenantId).then(() => order.push('held'));
      await until(async () => {
        const { rows } = await db.owner.query(
          `select from pg_locks l join pg_database d on d.oid = l.database
           where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
        );
        return rows.length === 1;
      });
      // Others erase at the same time, and other tenants are held.
      await db.tenantDb.run(other.tenantId, (tx) => holds.assertNone(tx, other));
      await place(other.tenantId);
      order.push('erased');
    });
    await placing;
    expect(order).toEqual(['erased', 'held']);
    await expect(
      db.tenantDb.run(tenantId, (tx) => holds.assertNone(tx, { tenantId, userId })),
    ).rejects.toMatchObject({ code: 'legal-hold' });
  });
});
