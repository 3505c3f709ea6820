import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres, withClient } from '#libs/database';
import { migrations } from '#migrations';
import { auditWorld, type AuditWorld } from '../../test/support/audit-world.js';

/** Runs `work` on an audit log in a database server of its own, as durable as in production, and removes both. */
export async function withAuditWorld(work: (world: AuditWorld) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-audit-'));
  const server = await startEmbeddedPostgres({ dataDir: folder });
  try {
    await withClient(server.url, (owner) => owner.query('create database navigator_template'));
    await migrate(Object.assign(new URL(server.url), { pathname: '/navigator_template' }).href, migrations);
    process.env.TEST_POSTGRES_URL = server.url;
    const world = await auditWorld();
    try {
      await work(world);
    } finally {
      await world.close();
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
