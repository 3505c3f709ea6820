import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { emptyEveryTable, everyTable, fillEveryTable, type Table } from '../support/blank-rows.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

/** What claims work of all tenants: queues, and which tenants are suspended. No text, no person. */
const WORKER = [
  ...[
    'job',
    'document_generation',
    'reindex',
    'import_batch',
    'import_item',
    'export_job',
    'ingestion_control',
  ],
  ...['mail_outbox', 'webhook_endpoint', 'webhook_delivery', 'erasure', 'tenant', 'tenant_deletion'],
];
/** What belongs to the installation, and the list of tenants. */
const OPERATOR = [
  ...['alert', 'alert_delivery', 'resilience_override', 'token_key', 'vector_origin', 'ingestion_control'],
  ...['tenant', 'tenant_deletion'],
];
/** The log and its trees. */
const AUDITOR = [
  ...[
    'audit_event',
    'audit_anchor',
    'audit_head',
    'audit_leaf',
    'audit_seal_state',
    'audit_tile',
    'audit_tree',
  ],
  ...['audit_retirement', 'audit_target'],
];
/** Its rows are the heads of all trees, for everybody to keep; they tell of no tenant. */
const OPEN = { audit_checkpoint: 1 };

/**
 * The database alone, as the role of the program and without any condition of the program: every table there is, with
 * rows of two tenants in it.
 */
describe('row-level security alone', () => {
  let db: TestDatabase;
  let app: pg.Pool;
  let tables: Table[];
  let a: string;
  let b: string;

  beforeAll(async () => {
    db = await testDatabase();
    [a, b] = [randomUUID(), randomUUID()];
    await fillEveryTable(db.owner, [a, b]);
    tables = await everyTable(db.owner);
    app = new pg.Pool({ connectionString: db.appUrl, max: 10 });
  });
  afterAll(async () => {
    await app?.end();
    await db?.close();
  });

  /** The rows that a statement gives in a transaction with these settings, or why it was refused. */
  async function ask(settings: Record<string, string>, sql: string, values: unknown[] = []) {
    const client = await app.connect();
    try {
      await client.query('begin');
      for (const [name, value] of Object.entries(settings))
        await client.query('select set_config($1, $2, true)', [name, value]);
      const { rows, rowCount } = await client.query(sql, values);
      return { rows, count: rowCount ?? 0, refused: undefined };
    } catch (error) {
      return { rows: [], count: 0, refused: (error as { code?: string }).code };
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  /** How many rows somebody sees in each table; those in which he sees none are left out. */
  async function seenIn(settings: Record<string, string>): Promise<Record<string, number>> {
    const seen: Record<string, number> = {};
    for (const { name } of tables) {
      const { rows } = await ask(settings, `select 1 from ${name}`);
      if (rows.length > 0) seen[name] = rows.length;
    }
    return seen;
  }
  const asTenant = (tenantId: string) => ({ 'app.tenant': tenantId });
  const withTenants = () => tables.filter(({ hasTenants }) => hasTenants).map(({ name }) => name);

  it('has rows of both tenants to hide, in every table', async () => {
    expect(tables.length).toBeGreaterThan(50);
    for (const { name, hasTenants } of tables) {
      const { rows } = await db.owner.query(
        `select ${hasTenants ? 'tenant_id' : 'null as tenant_id'} from ${name}`,
      );
      const tenants = rows.map(({ tenant_id }) => tenant_id as string);
      expect({ name, tenants }).toEqual({
        name,
        tenants: expect.arrayContaining(hasTenants ? [a, b] : [null]),
      });
    }
  });

  it.each([
    ['nothing', {}],
    ['a tenant that does not exist', { 'app.tenant': randomUUID() }],
    ['an empty tenant', { 'app.tenant': '' }],
    ['a scope that does not exist', { 'app.scope': 'root' }],
    ['a credential of nobody', { 'app.credential': randomUUID() }],
  ])('shows no row of any table to a transaction that names %s', async (_, settings) => {
    expect(await seenIn(settings)).toEqual(OPEN);
  });

  it('shows a tenant its own row of every table, and not that of the other one', async () => {
    const expected = { ...Object.fromEntries(withTenants().map((name) => [name, 1])), ...OPEN };
    expect(await seenIn(asTenant(b))).toEqual(expected);
    expect(await seenIn(asTenant(a))).toEqual(expected);
    for (const name of withTenants())
      expect((await ask(asTenant(b), `select 1 from ${name} where tenant_id = $1`, [a])).count).toBe(0);
  });

  it.each([
    ['worker', WORKER],
    ['operator', OPERATOR],
    ['auditor', AUDITOR],
  ])('shows the %s of all tenants only what it needs', async (scope, allowed) => {
    const seen = Object.keys(await seenIn({ 'app.scope': scope }));
    expect(seen.filter((name) => !allowed.includes(name))).toEqual(Object.keys(OPEN));
    expect(seen.length).toBeGreaterThan(3);
  });

  it('lets a tenant change, remove, add and give away no row of another one', async () => {
    for (const name of withTenants()) {
      const asB = (sql: string, values: unknown[]) => ask(asTenant(b), sql, values);
      const changed = await asB(`update ${name} set tenant_id = tenant_id where tenant_id = $1`, [a]);
      const removed = await asB(`delete from ${name} where tenant_id = $1`, [a]);
      expect({ name, changed: changed.count, removed: removed.count }).toEqual({
        name,
        changed: 0,
        removed: 0,
      });

      const { rows } = await db.owner.query(`select to_jsonb(t) as row from ${name} t where tenant_id = $1`, [
        b,
      ]);
      const moved = JSON.stringify({ ...rows[0].row, tenant_id: a });
      const columns = await insertableColumns(name);
      const added = await asB(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from jsonb_populate_record(null::${name}, $1)`,
        [moved],
      );
      const given = await asB(`update ${name} set tenant_id = $1`, [a]);
      // Refused by row-level security, or by the lack of the right to change this table at all.
      const refused = '42501';
      const refusedOrNothing = given.count === 0 && [refused, undefined].includes(given.refused);
      expect({ name, added: added.refused, refusedOrNothing }).toEqual({
        name,
        added: refused,
        refusedOrNothing: true,
      });
    }
  });

  it('keeps 100 callers of two tenants apart on one pool, table by table', async () => {
    const names = withTenants();
    const callers = Array.from({ length: 100 }, (_, i) => ({
      tenantId: i % 2 ? a : b,
      name: names[(i * 7) % names.length]!,
    }));
    const seen = await Promise.all(
      callers.map(({ tenantId, name }) => ask(asTenant(tenantId), `select tenant_id from ${name}`)),
    );
    expect(seen.map(({ rows }) => rows)).toEqual(callers.map(({ tenantId }) => [{ tenant_id: tenantId }]));
    // Nor is anything left on the connections that they used.
    expect(await seenIn({})).toEqual(OPEN);
  });

  it('leaves no way around itself: neither views, functions nor rights', async () => {
    const { rows: around } = await db.owner.query(
      `select 'function ' || proname as what from pg_proc
       where pronamespace = 'public'::regnamespace and prosecdef
         and not (array_to_string(proconfig, ' ') ~ 'search_path='
           and (prosrc ~ 'tenant_id = app_tenant\\(\\)' or prorettype = 'trigger'::regtype))
       union all
       select 'view ' || relname from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
         and not coalesce('security_invoker=true' = any (reloptions), false)
       union all
       select privilege || ' on ' || relname from pg_class, unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and has_table_privilege('navigator_app', oid, privilege)
       union all
       select 'owner of ' || relname from pg_class
       where relnamespace = 'public'::regnamespace and pg_has_role('navigator_app', relowner, 'member')
       union all
       select 'not forced on ' || relname from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname !~ '^schema_migration'
         and not (relrowsecurity and relforcerowsecurity)`,
    );
    expect(around).toEqual([]);
  });

  it('lets functions that run as the owner reach no other tenant', async () => {
    const { rows } = await db.owner.query('select subject from audit_pii where tenant_id = $1', [a]);
    const erased = await ask(asTenant(b), 'select audit_erase_person($1) as count', [rows[0].subject]);
    expect(erased).toMatchObject({ rows: [{ count: '0' }], refused: undefined });
  });

  it('answers a tenant with the same bytes whether or not there are others', async () => {
    const everything = async () => {
      const answers: Record<string, unknown> = {};
      for (const { name } of tables)
        answers[name] = (await ask(asTenant(b), `select t::text from ${name} t order by 1`)).rows;
      return JSON.stringify(answers);
    };
    const before = await everything();
    await emptyEveryTable(db.owner, a);
    expect(await seenIn(asTenant(a))).toEqual(OPEN);
    expect(await everything()).toBe(before);
  });

  /** Those that are not computed. */
  async function insertableColumns(table: string): Promise<string> {
    const { rows } = await db.owner.query(
      `select string_agg(quote_ident(attname), ', ') as names from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    );
    return rows[0].names as string;
  }
});
