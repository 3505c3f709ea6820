import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Jest runs this outside of its own module loader, so it takes the built code.
import { migrate, startEmbeddedPostgres, withClient } from '#libs/database';
import { migrations } from '#migrations';

/** One real PostgreSQL for the whole run, with a migrated template database that every test file clones. */
export default async function startTestServer() {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-test-'));
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  globalThis.stopNavigatorTestServer = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await withClient(server.url, (owner) => owner.query('create database navigator_template'));
    await migrate(Object.assign(new URL(server.url), { pathname: '/navigator_template' }).href, migrations);
  } catch (error) {
    await globalThis.stopNavigatorTestServer(); // Jest does not tear down what it could not set up.
    throw error;
  }
  process.env.TEST_POSTGRES_URL = server.url;
}
