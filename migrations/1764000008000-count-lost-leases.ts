import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often in a row a job's worker died or fell silent without getting on: a document that kills workers ends. */
export class CountLostLeases1764000008000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`alter table job add column lost_leases int not null default 0`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table job drop column lost_leases`);
  }
}
