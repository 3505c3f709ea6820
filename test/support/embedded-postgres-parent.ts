/**
 * A program with an embedded server, for tests that kill it: `embedded-postgres-parent.ts <data folder> [cache
 * folder]`. Says on one line of JSON what came of the start. Stops in order when its standard input ends, and exits
 * without stopping when something is written there.
 */
import { once } from 'node:events';
import { type EmbeddedPostgresError, startEmbeddedPostgres } from '#libs/database';

const say = (outcome: object) => process.stdout.write(`${JSON.stringify(outcome)}\n`);

try {
  const lines: string[] = [];
  const server = await startEmbeddedPostgres({
    dataDir: process.argv[2]!,
    cacheFolder: process.argv[3] || undefined,
    settings: { fsync: 'off' },
    log: (line) => lines.push(line),
  });
  say({ url: server.url, serverPid: server.pid, lines });
  process.stdin.on('data', () => process.exit());
  await once(process.stdin, 'end');
  await server.stop();
} catch (error) {
  const { code, message } = error as EmbeddedPostgresError;
  say({ code, message });
}
