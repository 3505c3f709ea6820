import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the embedder called itself when the first vectors of a model were made. Vectors of a model that calls itself
 * something else must not come among them. It is about the installation: only the scope `operator` sees a row.
 */
export class CreateVectorOrigin1764000010000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table vector_origin (
        model text primary key check (length(model) between 1 and 100),
        reported text not null check (length(reported) <= 200),
        first_seen_at timestamptz not null default now()
      )`);
    await q.query(`alter table vector_origin enable row level security`);
    await q.query(`alter table vector_origin force row level security`);
    await q.query(
      `create policy operator on vector_origin
         using ((select app_scope()) = 'operator') with check ((select app_scope()) = 'operator')`,
    );
    await q.query(`grant select, insert, update on vector_origin to navigator_app`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table vector_origin`);
  }
}
