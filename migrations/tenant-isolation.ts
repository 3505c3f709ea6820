import type { QueryRunner } from 'typeorm';

/**
 * Puts a table under row-level security, also for its owner: only the current tenant's rows exist. The look-up is a
 * sub-select so that the planner evaluates it once per statement, not once per row.
 */
export async function isolateTenants(q: QueryRunner, table: string): Promise<void> {
  await q.query(`alter table ${table} enable row level security`);
  await q.query(`alter table ${table} force row level security`);
  await q.query(
    `create policy tenant_isolation on ${table}
       using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))`,
  );
  await q.query(`grant select, insert, update, delete on ${table} to navigator_app`);
}
