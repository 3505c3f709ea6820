import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres, withClient } from '#libs/database';
import { migrations } from '#migrations';
import { running } from './running-postgres.js';

/** One real PostgreSQL for the whole run, with a migrated template database that every test file clones. */
export default async function startTestServer(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-test-'));
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  running.server = server;
  running.folder = folder;
  await withClient(server.url, (owner) => owner.query('create database navigator_template'));
  const template = Object.assign(new URL(server.url), { pathname: '/navigator_template' }).href;
  await migrate(template, migrations);
  process.env.TEST_POSTGRES_URL = server.url;
}
