import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a session began with a second factor, or has enrolled one since: what tenants may require of sessions. */
export class StrengthenSessions1764000032000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table session add column second_factor boolean not null default false`);
    // Even the owner sees no tenant's rows while row-level security is forced.
    for (const table of ['session', 'user_totp'])
      await q.query(`alter table ${table} no force row level security`);
    // Since it was turned on, nobody began a session by a password without it.
    await q.query(
      `update session s set second_factor = true from user_totp t
       where t.tenant_id = s.tenant_id and t.user_id = s.user_id and t.enabled_at <= s.created_at`,
    );
    for (const table of ['session', 'user_totp'])
      await q.query(`alter table ${table} force row level security`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table session drop column second_factor`);
  }
}
