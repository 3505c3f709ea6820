import { randomUUID } from 'node:crypto';
import {
  assertTenancyEnforced,
  migrate,
  migrateDown,
  TenancyNotEnforced,
  TenantDb,
  withClient,
} from '#libs/database';
import { DependencyTimeout } from '#libs/errors';
import { migrations } from '#migrations';
import { testDatabase, type TestDatabase, withoutPolicy } from '../support/test-database.js';

describe('tenancy in the database', () => {
  let db: TestDatabase;
  let a: { tenantId: string; userId: string };
  let b: { tenantId: string; userId: string };

  beforeAll(async () => {
    db = await testDatabase();
    [a, b] = [await db.createTenant(), await db.createTenant()];
  });
  afterAll(() => db.close());

  const usersSeenBy = (tenantId: string) =>
    db.tenantDb.run(tenantId, async (tx) => {
      const rows = await tx.query<{ id: string }[]>('select id from app_user');
      return rows.map((row) => row.id);
    });

  it('shows a tenant its own rows and nobody else’s', async () => {
    await expect(usersSeenBy(a.tenantId)).resolves.toEqual([a.userId]);
    await expect(usersSeenBy(b.tenantId)).resolves.toEqual([b.userId]);
    await expect(usersSeenBy(randomUUID())).resolves.toEqual([]);
  });

  it('shows nothing to a query outside of a tenant’s transaction, also on a connection that had one before', async () => {
    await usersSeenBy(a.tenantId);
    for (let i = 0; i < 20; i++)
      await expect(db.source.query('select id from app_user')).resolves.toEqual([]);
  });

  it('keeps 100 callers of two tenants apart on one pool', async () => {
    const callers = Array.from({ length: 100 }, (_, i) => (i % 2 ? a : b));
    const seen = await Promise.all(callers.map((caller) => usersSeenBy(caller.tenantId)));
    expect(seen).toEqual(callers.map((caller) => [caller.userId]));
  });

  it('refuses to write a row into another tenant', async () => {
    const intrusion = db.tenantDb.run(a.tenantId, (tx) =>
      tx.query(
        `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, 'x@y.z', '', 'admin')`,
        [b.tenantId, randomUUID()],
      ),
    );
    await expect(intrusion).rejects.toThrow(/row-level security/);
  });

  it('finds by a credential exactly the row that carries it, and only reads', async () => {
    const email = `${a.userId}@example.com`;
    const found = await db.tenantDb.findByCredential(email, (tx) =>
      tx.query<{ id: string }[]>('select id from app_user'),
    );
    expect(found).toEqual([{ id: a.userId }]);
    const change = db.tenantDb.findByCredential(email, (tx) =>
      tx.query(`update app_user set role = 'operator' returning id`),
    );
    await expect(change).rejects.toThrow(/read-only transaction/);
  });

  it('rolls back a change when a hook before its commit fails', async () => {
    const tenantDb = new TenantDb(db.source, 30_000, withoutPolicy);
    tenantDb.onBeforeCommit(() => {
      throw new Error('no audit');
    });
    const change = tenantDb.change(a.tenantId, (tx) => tx.query(`update app_user set role = 'member'`));
    await expect(change).rejects.toThrow('no audit');
    const rows = await db.owner.query('select role from app_user where id = $1', [a.userId]);
    expect(rows.rows).toEqual([{ role: 'admin' }]);
  });

  it('cancels a statement that takes longer than it may', async () => {
    const slow = db.tenantDb.run(a.tenantId, (tx) => tx.query('select pg_sleep(60)'), { timeoutMs: 50 });
    await expect(slow).rejects.toBeInstanceOf(DependencyTimeout);
  });

  it('does not begin for a client that has left', async () => {
    const signal = AbortSignal.abort(new Error('left'));
    await expect(db.tenantDb.run(a.tenantId, () => Promise.resolve(1), { signal })).rejects.toThrow('left');
  });

  describe('start-up', () => {
    it('accepts the schema as it was migrated', async () => {
      await expect(withClient(db.appUrl, assertTenancyEnforced)).resolves.toBeUndefined();
    });

    it('refuses an application role that is a superuser', async () => {
      await expect(withClient(db.url, assertTenancyEnforced)).rejects.toThrow(/is a superuser/);
    });

    it.each([
      ['create table forgotten (tenant_id uuid)', /table forgotten has no row-level security/],
      [
        'create table forgotten (tenant_id uuid); alter table forgotten enable row level security',
        /table forgotten does not force it/,
      ],
      [
        'create table forgotten (tenant_id uuid); alter table forgotten enable row level security; alter table forgotten force row level security',
        /table forgotten has no policy/,
      ],
    ])('refuses a schema after: %s', async (statement, problem) => {
      await db.owner.query(statement);
      try {
        await expect(withClient(db.appUrl, assertTenancyEnforced)).rejects.toThrow(problem);
        await expect(withClient(db.appUrl, assertTenancyEnforced)).rejects.toThrow(TenancyNotEnforced);
      } finally {
        await db.owner.query('drop table forgotten');
      }
    });
  });
});

describe('migrations', () => {
  it('go up, all the way down to an empty schema, and up again', async () => {
    const db = await testDatabase();
    try {
      await db.source.destroy();
      await migrateDown(db.url, migrations);
      const left = await db.owner.query(
        `select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where nspname = 'public' and relkind in ('r', 'S', 'v', 'm') and relname not like 'schema_migration%'
         union all
         select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname = 'public'`,
      );
      expect(left.rows).toEqual([]);
      await expect(migrate(db.url, migrations)).resolves.toHaveLength(migrations.length);
      await db.source.initialize();
    } finally {
      await db.close();
    }
  });

  it('are run once when several processes start together', async () => {
    const db = await testDatabase();
    try {
      await db.source.destroy();
      await migrateDown(db.url, migrations);
      const done = await Promise.all([1, 2, 3].map(() => migrate(db.url, migrations)));
      expect(done.map((names) => names.length).sort()).toEqual([0, 0, migrations.length]);
      await db.source.initialize();
    } finally {
      await db.close();
    }
  });
});
