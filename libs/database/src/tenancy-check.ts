import type { Client } from 'pg';
import { SEALER_GROUP } from './roles.js';

/** Start-up refuses to go on: a tenant's rows would not be safe from another tenant, or the audit log not from the program. */
export class TenancyNotEnforced extends Error {
  constructor(readonly problems: string[]) {
    super(['Row-level security is not in force:', ...problems.map((p) => `  ${p}`)].join('\n'));
    this.name = 'TenancyNotEnforced';
  }
}

/**
 * Checks, as a role of the program, that it cannot get around row-level security, is apart from the other role's group,
 * and that every table with a `tenant_id` has row-level security enabled, forced and with a policy.
 */
export async function assertTenancyEnforced(app: Client, apartFrom: string = SEALER_GROUP): Promise<void> {
  const role = await app.query<{ name: string; problem: string | null }>(ROLE_CHECK, [apartFrom]);
  const tables = await app.query<{ name: string; problem: string | null }>(TABLE_CHECK);
  const problems = [...role.rows, ...tables.rows].filter((row) => row.problem);
  if (tables.rows.length === 0)
    throw new TenancyNotEnforced(['there are no tenant tables: was it migrated?']);
  if (problems.length > 0) throw new TenancyNotEnforced(problems.map((p) => `${p.name} ${p.problem}`));
}

const ROLE_CHECK = `
  select 'role ' || rolname as name,
         case when rolsuper then 'is a superuser'
              when rolbypassrls then 'may bypass row-level security'
              when exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                           where n.nspname = 'public' and c.relkind in ('r', 'p')
                             and pg_has_role(current_user, c.relowner, 'MEMBER')) then 'owns tables'
              when pg_has_role(current_user, $1::name, 'MEMBER') then 'is also a member of ' || $1
         end as problem
  from pg_roles where rolname = current_user`;

const TABLE_CHECK = `
  select 'table ' || c.relname as name,
         case when not c.relrowsecurity then 'has no row-level security'
              when not c.relforcerowsecurity then 'does not force it on its owner'
              when not exists (select from pg_policy p where p.polrelid = c.oid) then 'has no policy'
         end as problem
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where n.nspname = 'public' and c.relkind in ('r', 'p')`;
