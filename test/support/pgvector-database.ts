import { randomUUID } from 'node:crypto';
import { PGlite, types } from '@electric-sql/pglite';
import { vector as pgvector } from '@electric-sql/pglite-pgvector';
import type { QueryRunner } from 'typeorm';
import type { Queryable } from '../../apps/api/src/rag/passages/search-scope.js';
import { ensurePgvector } from '../../apps/api/src/rag/passages/vectors/pgvector.index.js';
import { migrations } from '#migrations';
import type { TestDatabase } from './test-database.js';

export interface PgvectorDatabase {
  owner: Queryable;
  /** One at a time: there is one connection. Answers as TypeORM does. */
  run<T>(tenantId: string, work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** The same for services and stores that take a `TestDatabase`. */
  testDatabase: TestDatabase;
  close(): Promise<void>;
}

/** PostgreSQL with pgvector inside the process, with our migrations, and row-level security as for the application's role. */
export async function pgvectorDatabase(dimensions: number): Promise<PgvectorDatabase> {
  // Bytes as our driver gives them.
  const parsers = { [types.BYTEA]: (text: string) => Buffer.from(text.slice(2), 'hex') };
  const db = await PGlite.create({ extensions: { vector: pgvector }, parsers });
  const owner = queryable(db);
  for (const role of ['navigator_app', 'navigator_sealer']) await owner.query(`create role ${role} nologin`);
  for (const Migration of migrations) await new Migration().up(owner as unknown as QueryRunner);
  await ensurePgvector(owner, dimensions);
  const run: PgvectorDatabase['run'] = (tenantId, work) =>
    db.transaction(async (tx) => {
      await tx.query('set local role navigator_app');
      await tx.query(`select set_config('app.tenant', $1, true)`, [tenantId]);
      return work(queryable(tx as never));
    }) as Promise<never>;
  const close = () => db.close();
  const testDatabase = {
    tenantDb: { run, read: run, change: run },
    owner: { query: (sql: string, parameters?: unknown[]) => db.query(sql, parameters) },
    async createTenant() {
      const [tenantId, userId] = [randomUUID(), randomUUID()];
      await owner.query(`insert into tenant (tenant_id, name) values ($1, $2)`, [tenantId, `t-${tenantId}`]);
      return { tenantId, userId };
    },
    close,
  } as unknown as TestDatabase;
  return { owner, run, testDatabase, close };
}

const CHANGE = /^\s*(update|delete)\b/i;

function queryable(target: Pick<PGlite, 'query'>): Queryable {
  return {
    async query(sql, parameters) {
      const given = parameters?.map((value) => (value === undefined ? null : value));
      const { rows, affectedRows } = await target.query(sql, given);
      return (CHANGE.test(sql) ? [rows, affectedRows] : rows) as never;
    },
  };
}
