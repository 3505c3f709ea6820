import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Vectors stay in their rows. Out of line, one of 1,536 dimensions took two rows and two index entries more, and an attempt
 * to compress what cannot be compressed. Rows that are there stay as they are, and are read as before.
 */
export class KeepVectorsInline1764000033000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(
      `alter table passage_vector alter vector set storage main, set (toast_tuple_target = 8160)`,
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table passage_vector alter vector set storage extended, reset (toast_tuple_target)`);
  }
}
