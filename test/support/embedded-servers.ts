import { jest } from '@jest/globals';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
  withClient,
} from '#libs/database';
import { type Parent, type ParentLocation, spawnParent } from './spawn-parent.js';

export const isRoot = process.getuid?.() === 0;
export type Server = Pick<EmbeddedPostgres, 'url'>;

/**
 * Folders and servers for the tests of one file, in this process or in one of their own that can be killed. All are
 * gone after the test, the folders after the file.
 */
export function embeddedServers() {
  jest.setTimeout(60_000);
  let folder: string;
  let lines: string[] = [];
  let servers: EmbeddedPostgres[] = [];
  let parents: Parent[] = [];

  beforeAll(async () => {
    // Only this user may enter it, as is the case with /root.
    folder = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
    await (await startEmbeddedPostgres({ dataDir: join(folder, 'used'), settings: { fsync: 'off' } })).stop();
  });
  afterEach(async () => {
    await Promise.all([...servers.map((server) => server.stop()), ...parents.map((parent) => parent.end())]);
    [lines, servers, parents] = [[], [], []];
  });
  afterAll(() => rm(folder, { recursive: true, maxRetries: 10 }));

  const emptyFolder = () => mkdtemp(join(folder, 'data-'));
  return {
    testFolder: () => folder,
    emptyFolder,
    /** Has a database in it; for tests that leave it as it was. */
    usedFolder: () => join(folder, 'used'),
    async copyOfUsedFolder(): Promise<string> {
      const copy = await emptyFolder();
      await cp(join(folder, 'used'), copy, { recursive: true });
      return copy;
    },
    /** What all servers of this test logged. */
    lines: () => lines,
    async start(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
      const settings = { fsync: 'off', ...options.settings };
      const log = (line: string) => lines.push(line);
      const server = await startEmbeddedPostgres({ log, ...options, dataDir, settings });
      servers.push(server);
      return server;
    },
    startParent(dataDir: string, where?: ParentLocation): Parent {
      const parent = spawnParent(dataDir, where);
      parents.push(parent);
      return parent;
    },
  };
}

export async function query({ url }: Server, sql: string): Promise<Record<string, unknown>[]> {
  return withClient(url, async (client) => (await client.query(sql)).rows as Record<string, unknown>[]);
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}
