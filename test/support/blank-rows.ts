import { randomUUID } from 'node:crypto';
import type pg from 'pg';

export interface Table {
  name: string;
  hasTenants: boolean;
}

interface Column {
  name: string;
  type: string;
  labels: string[] | null;
}

/** Every table there is, partitions included; those of the migrations' own bookkeeping are not ours. */
export async function everyTable(owner: pg.Pool): Promise<Table[]> {
  const { rows } = await owner.query<Table>(
    `select c.relname as name, exists (
       select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     ) as "hasTenants"
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname !~ '^schema_migration'
     order by 1`,
  );
  return rows;
}

/**
 * Puts a row of each of these tenants into every table (one row into a table without tenants), whatever the table is
 * for. What says which rows make sense is dropped before: checks, references and triggers. Row-level security stays.
 */
export async function fillEveryTable(owner: pg.Pool, tenantIds: string[]): Promise<void> {
  const tables = await everyTable(owner);
  const client = await owner.connect();
  try {
    await client.query(`set session_replication_role = replica`);
    const { rows: checks } = await client.query<{ drop: string }>(
      `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop
       from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace and conislocal`,
    );
    for (const check of checks) await client.query(check.drop);
    for (const { name, hasTenants } of tables.filter(({ name }) => !isPartition(name, tables)))
      for (const tenantId of hasTenants ? tenantIds : ['']) await fill(client, name, tenantId);
  } finally {
    await client.query(`reset session_replication_role`);
    client.release();
  }
}

/** Removes all rows of a tenant, whatever refers to them and whatever is there to keep them. */
export async function emptyEveryTable(owner: pg.Pool, tenantId: string): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query(`set session_replication_role = replica`);
    for (const { name } of (await everyTable(owner)).filter(({ hasTenants }) => hasTenants)) {
      await client.query(`alter table ${name} disable trigger all`);
      await client.query(`delete from ${name} where tenant_id = $1`, [tenantId]);
    }
  } finally {
    await client.query(`reset session_replication_role`);
    client.release();
  }
}

/** A row comes into a partition through the table that it is a part of. */
const isPartition = (name: string, tables: Table[]) =>
  /_\d+$/.test(name) && tables.some((table) => table.name === name.replace(/_\d+$/, ''));

async function fill(client: pg.PoolClient, table: string, tenantId: string): Promise<void> {
  const { rows: columns } = await client.query<Column>(
    `select a.attname as name, format_type(a.atttypid, null) as type,
       (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid) as labels
     from pg_attribute a
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''`,
    [table],
  );
  const values = columns.map((column) => (column.name === 'tenant_id' ? tenantId : anyValue(column)));
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const places = columns.map((_, i) => `$${i + 1}`).join(', ');
  await client.query(
    `insert into ${table} (${names}) overriding system value values (${places}) on conflict do nothing`,
    values,
  );
}

function anyValue({ type, labels }: Column): unknown {
  if (labels) return labels[0];
  if (type.endsWith('[]')) return '{}';
  if (/range$/.test(type)) return 'empty';
  switch (type) {
    case 'uuid':
      return randomUUID();
    case 'boolean':
      return true;
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'numeric':
    case 'xid8':
      return Math.floor(Math.random() * 30_000) + 1;
    case 'real':
    case 'double precision':
      return Math.random();
    case 'bytea':
      return Buffer.from(randomUUID());
    case 'json':
    case 'jsonb':
      return '{}';
    case 'date':
    case 'timestamp with time zone':
      return new Date();
    case 'interval':
      return '1 hour';
    case 'inet':
    case 'cidr':
      return '192.0.2.1';
    case 'tsvector':
    case 'text':
    case 'character varying':
    case 'character':
      return randomUUID();
    default:
      throw new Error(`Tell the test of row-level security (anyValue) of a value of type ${type}`);
  }
}
