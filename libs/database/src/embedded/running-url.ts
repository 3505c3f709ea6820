import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClient } from '../connect.js';
import { OWNER } from './data-folder.js';
import { DATABASE } from './embedded-postgres.js';

/** The owner's URL of the server that runs on this data folder at the moment; undefined when none does. */
export async function runningEmbeddedUrl(dataDir: string): Promise<string | undefined> {
  const read = (name: string) => readFile(join(dataDir, name), 'utf8').catch(() => '');
  const [server, password] = await Promise.all([read('pgdata/postmaster.pid'), read('postgres.password')]);
  // The fourth line is the port. The file of a server that was killed stays, so the server is asked.
  const port = Number(server.split('\n')[3]);
  if (!port || !password) return undefined;
  const url = `postgres://${OWNER}:${password.trim()}@127.0.0.1:${port}/${DATABASE}`;
  return withClient(url, (client) => client.query('select 1')).then(
    () => url,
    () => undefined,
  );
}
