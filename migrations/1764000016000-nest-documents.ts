import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenants } from './tenant-isolation.js';

/** Documents that came inside others, and passwords that open protected ones. */
export class NestDocuments1764000016000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // null for what was uploaded by itself, even if it is attached to something as well.
    await q.query(`
      alter table document add column parent_id uuid,
        add constraint document_parent foreign key (tenant_id, parent_id)
          references document (tenant_id, id) on delete set null (parent_id)`);
    await q.query(
      `create index document_parent on document (tenant_id, parent_id) where parent_id is not null`,
    );
    // The same file may be attached to several mails, and is one document.
    await q.query(`
      create table document_attachment (
        tenant_id uuid not null,
        parent_id uuid not null,
        document_id uuid not null,
        primary key (tenant_id, parent_id, document_id),
        foreign key (tenant_id, parent_id) references document (tenant_id, id) on delete cascade,
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await q.query(
      `create index document_attachment_document on document_attachment (tenant_id, document_id)`,
    );
    await isolateTenants(q, 'document_attachment');
    // Sealed with a key that is not in the database.
    await q.query(`
      create table document_password (
        tenant_id uuid not null,
        document_id uuid not null,
        sealed bytea not null check (length(sealed) <= 4096),
        primary key (tenant_id, document_id),
        foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
      )`);
    await isolateTenants(q, 'document_password');
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table document_password`);
    await q.query(`drop table document_attachment`);
    await q.query(`alter table document drop column parent_id`);
  }
}
