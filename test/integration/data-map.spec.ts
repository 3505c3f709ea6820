import { readFile } from 'node:fs/promises';
import { DATA_MAP, dataMapTable, isOf } from '../../apps/api/src/privacy/index.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('the data map', () => {
  let db: TestDatabase;
  let tables: { name: string; columns: string[]; isTenants: boolean }[];
  beforeAll(async () => {
    db = await testDatabase();
    const { rows } = await db.owner.query(
      `select c.relname as name, array_agg(a.attname::text) as columns,
              bool_or(a.attname = 'tenant_id') as "isTenants"
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') group by 1`,
    );
    tables = rows;
  });
  afterAll(() => db?.close());

  const entryOf = (name: string) => DATA_MAP.filter((entry) => isOf(entry, name));
  const concrete = () => DATA_MAP.filter(({ table }) => !table.endsWith('*'));

  it('has every table of the database once, and no other', () => {
    expect(tables.filter(({ name }) => entryOf(name).length !== 1).map(({ name }) => name)).toEqual([]);
    const names = new Set(tables.map(({ name }) => name));
    expect(concrete().filter(({ table }) => !names.has(table))).toEqual([]);
  });

  it('says of every table of tenants what becomes of it with its tenant', () => {
    const forgotten = tables.filter(
      ({ name, isTenants }) => isTenants && entryOf(name)[0]!.tenant === 'none',
    );
    // Who has no tenant yet stands under the installation.
    expect(forgotten.map(({ name }) => name)).toEqual(['sign_up']);
  });

  it('says of every table that names a person what becomes of it with him', () => {
    const PERSONAL =
      /^(user_id|owner_id|created_by|requested_by|heir_id|invited_by|paused_by|placed_by|email|actor_id)$/;
    const naming = tables.filter(({ columns }) => columns.some((column) => PERSONAL.test(column)));
    expect(naming.length).toBeGreaterThan(15);
    const silent = naming.filter(({ name }) => !entryOf(name)[0]!.erased && !entryOf(name)[0]!.unlinked);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('lets nothing leave that is a secret', () => {
    const SECRET = /hash|secret|sealed|(^|_)lease_|claim_|password|^body$|token_/;
    const shown = concrete()
      .filter(({ exported }) => exported)
      .flatMap(({ table, secrets = [] }) =>
        tables
          .find(({ name }) => name === table)!
          .columns.filter((column) => SECRET.test(column) && !secrets.includes(column))
          .map((column) => `${table}.${column}`),
      );
    expect(shown).toEqual([]);
  });

  it('has whoever refers to others before them, so that nothing is left to a foreign key', async () => {
    const { rows } = await db.owner.query(
      `select conrelid::regclass::text as from, confrelid::regclass::text as to from pg_constraint
       where contype = 'f' and conrelid <> confrelid and confdeltype in ('a', 'c', 'r')`,
    );
    const place = (name: string) => DATA_MAP.findIndex((entry) => isOf(entry, name));
    expect(rows.filter(({ from, to }) => place(from) > place(to))).toEqual([]);
  });

  it('holds conditions that the database understands', async () => {
    const { tenantId, userId } = await db.createTenant();
    await db.tenantDb.run(tenantId, async (tx) => {
      for (const { table, of, unlinked = [] } of concrete()) {
        if (of)
          await tx.query(`select from ${table} t where t.tenant_id = $1 and (${of}) limit 1`, [
            tenantId,
            userId,
          ]);
        for (const { set, where } of unlinked)
          await tx.query(
            `update ${table} t set ${set} where t.tenant_id = $1 and (${where})`,
            set.includes('$3') ? [tenantId, userId, userId] : [tenantId, userId],
          );
      }
    });
  });

  it('is what the documentation prints', async () => {
    expect(await readFile('docs/privacy.md', 'utf8')).toContain(dataMapTable(DATA_MAP));
  });
});
