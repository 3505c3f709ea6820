import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Generations beside the one that questions find, and orders to make documents anew. */
export class CreateGenerations1764000021000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await this.nameModels(q);
    await this.createGenerations(q);
    await this.createReindexes(q);
  }

  /** Which model the vectors are of that questions find a document by. */
  private async nameModels(q: QueryRunner): Promise<void> {
    await q.query(`alter table document add column embedding_model text`);
    const tables: { name: string }[] = await q.query(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = current_schema() and c.relkind = 'r' and c.relname ~ '^passage_(vector|embedding_[0-9]+)$'`,
    );
    // Even the owner sees no tenant's rows while row-level security is forced.
    const hidden = ['document', ...tables.map(({ name }) => name)];
    for (const table of hidden) await q.query(`alter table ${table} no force row level security`);
    for (const { name } of tables)
      await q.query(
        `update document d set embedding_model = (
           select v.model from ${name} v
           where v.tenant_id = d.tenant_id and v.document_id = d.id and v.generation = d.semantic_generation limit 1)
         where d.semantic_generation is not null and d.embedding_model is null`,
      );
    await q.query(
      `update document set embedding_model = 'unknown' where semantic_generation is not null and embedding_model is null`,
    );
    for (const table of hidden) await q.query(`alter table ${table} force row level security`);
    await q.query(
      `alter table document add constraint document_embedding_model_check
         check ((semantic_generation is null) = (embedding_model is null))`,
    );
    await q.query(
      `create index document_embedding_model on document (tenant_id, embedding_model)
         where embedding_model is not null`,
    );
  }

  /**
   * What a generation is that questions do not find: one that is being made (`expires_at` is null), or one that was
   * live and can be gone back to until then. `copy_of` is the generation whose passages it takes over.
   */
  private async createGenerations(q: QueryRunner): Promise<void> {
    await q.query(`
      create table document_generation (
        tenant_id uuid not null,
        document_id uuid not null,
        generation int not null,
        copy_of int,
        page_count int,
        passage_count int,
        assessment jsonb,
        embedding_model text,
        expires_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (tenant_id, document_id, generation),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await q.query(
      `create index document_generation_expiry on document_generation (expires_at) where expires_at is not null`,
    );
    await isolateTenants(q, 'document_generation');
    // A worker sees which have expired, of all tenants, and removes them tenant by tenant.
    await this.showWorkers(q, 'document_generation', ['select']);
  }

  private async createReindexes(q: QueryRunner): Promise<void> {
    await q.query(`
      create table reindex (
        tenant_id uuid not null references tenant (tenant_id) on delete cascade,
        id uuid not null,
        created_by uuid not null,
        scope jsonb not null,
        from_stage text not null check (from_stage in ('extract', 'structure', 'embed')),
        reason text check (length(reason) <= 500),
        state text not null default 'running'
          check (state in ('running', 'cancelled', 'finished', 'rolling_back', 'rolled_back')),
        correlation_id text,
        created_at timestamptz not null default now(),
        finished_at timestamptz,
        primary key (tenant_id, id),
        check (finished_at is not null or state in ('running', 'cancelled', 'rolling_back'))
      )`);
    await q.query(`create index reindex_newest on reindex (tenant_id, created_at desc, id desc)`);
    await q.query(`create index reindex_open on reindex (tenant_id, created_at) where finished_at is null`);
    await isolateTenants(q, 'reindex');
    // `generation` is what it makes of the document, `priority` what the job had before.
    await q.query(`
      create table reindex_item (
        tenant_id uuid not null,
        reindex_id uuid not null,
        document_id uuid not null,
        state text not null default 'waiting'
          check (state in ('waiting', 'running', 'switched', 'failed', 'skipped', 'cancelled', 'rolled_back')),
        reason_code text,
        generation int,
        priority smallint,
        begun_at timestamptz,
        settled_at timestamptz,
        primary key (tenant_id, reindex_id, document_id),
        foreign key (tenant_id, reindex_id) references reindex (tenant_id, id) on delete cascade
      )`);
    await q.query(
      `create index reindex_item_waiting on reindex_item (tenant_id, reindex_id, document_id)
         where state = 'waiting'`,
    );
    await q.query(
      `create index reindex_item_running on reindex_item (tenant_id, reindex_id, document_id)
         where state = 'running'`,
    );
    await q.query(
      `create index reindex_item_document on reindex_item (tenant_id, document_id) where generation is not null`,
    );
    await isolateTenants(q, 'reindex_item');
    // A worker sees of which tenants something is open, and works on it tenant by tenant.
    await this.showWorkers(q, 'reindex', ['select', 'delete']);
  }

  private async showWorkers(q: QueryRunner, table: string, commands: string[]): Promise<void> {
    for (const command of commands)
      await q.query(
        `create policy worker_${command} on ${table} for ${command} using ((select app_scope()) = 'worker')`,
      );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table reindex_item`);
    await q.query(`drop table reindex`);
    await q.query(`drop table document_generation`);
    await q.query(`alter table document drop column embedding_model`);
  }
}
