import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Passages, and what they are found by: their words (`posting`) and their vectors (`passage_vector`, `passage_sign`). */
export class CreatePassages1764000005000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create table passage (
        tenant_id uuid not null,
        document_id uuid not null,
        generation int not null,
        ordinal int not null check (ordinal >= 0),
        id uuid not null,
        kind text not null check (kind in ('prose', 'table-row')),
        text text not null check (text <> ''),
        heading_path text[] not null default '{}',
        page int check (page > 0),
        box jsonb,
        table_row jsonb,
        primary key (tenant_id, document_id, generation, ordinal),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade,
        check ((kind = 'table-row') = (table_row is not null))
      )`);
    await isolateTenants(q, 'passage');
    await createPostings(q);
    await createVectors(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table passage_sign`);
    await q.query(`drop table passage_vector`);
    await q.query(`drop table passage`);
    await q.query(`drop table posting`);
    await q.query(`drop function delete_postings()`);
  }
}

/**
 * One row for a word in (256 passages of) a document: which of them have it, and how much of each it is. The search
 * reads nothing but the primary key's index, where the rows of a word lie side by side.
 */
async function createPostings(q: QueryRunner): Promise<void> {
  await q.query(`
    create table posting (
      tenant_id uuid not null,
      term text not null check (length(term) <= 64),
      document_id uuid not null,
      generation int not null,
      block int not null,
      entries bytea not null check (length(entries) between 3 and 768),
      primary key (tenant_id, term, document_id, generation, block) include (entries)
    )`);
  await q.query(`create index posting_document on posting (tenant_id, document_id, generation)`);
  await isolateTenants(q, 'posting');

  // Postings go with their passages. A foreign key would say so too, but doubles the time that inserting takes.
  await q.query(`
    create function delete_postings() returns trigger language plpgsql as $$
    begin
      delete from posting p using (select distinct tenant_id, document_id, generation from gone) g
      where p.tenant_id = g.tenant_id and p.document_id = g.document_id and p.generation = g.generation;
      return null;
    end $$`);
  await q.query(`
    create trigger delete_postings after delete on passage
      referencing old table as gone for each statement execute function delete_postings()`);
}

/** Signs apart from the vectors, because every search reads all signs and only a few hundred vectors. */
async function createVectors(q: QueryRunner): Promise<void> {
  await q.query(`
    create table passage_vector (
      tenant_id uuid not null,
      document_id uuid not null,
      generation int not null,
      ordinal int not null,
      model text not null check (length(model) between 1 and 100),
      vector bytea not null,
      primary key (tenant_id, document_id, generation, ordinal, model),
      foreign key (tenant_id, document_id, generation, ordinal) references passage on delete cascade
    )`);
  await isolateTenants(q, 'passage_vector');

  // A row for all vectors that were saved together: reading 100,000 rows takes half as long again as reading as many
  // signs out of a few thousand.
  await q.query(`
    create table passage_sign (
      tenant_id uuid not null,
      document_id uuid not null,
      generation int not null,
      first_ordinal int not null,
      model text not null,
      ordinals int[] not null,
      signs bit varying[] not null check (cardinality(signs) = cardinality(ordinals)),
      primary key (tenant_id, document_id, generation, first_ordinal, model),
      foreign key (tenant_id, document_id, generation, first_ordinal) references passage on delete cascade
    )`);
  // Kept in the row; what is moved out of it takes longer to read.
  await q.query(`alter table passage_sign alter signs set storage main, set (toast_tuple_target = 8160)`);
  await isolateTenants(q, 'passage_sign');
}
