import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Passages of recordings and subtitles know when they are said. */
export class TimePassages1764000017000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      alter table passage
        -- milliseconds from the beginning of the recording
        add column start_ms int check (start_ms >= 0),
        add column end_ms int,
        add constraint passage_time_check check ((start_ms is null) = (end_ms is null) and end_ms >= start_ms)`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table passage drop column start_ms, drop column end_ms`);
  }
}
