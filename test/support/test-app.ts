import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, loadConfig } from '#libs/config';
import { sections } from '../../apps/api/src/app.config.js';
import { type Program, startProgram } from '../../apps/api/src/program.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** A program that tests ask over HTTP, wherever it runs. */
export interface RunningApp {
  url: string;
  db: TestDatabase;
  dataDir: string;
  /** Headers with the administrator's access token. */
  admin: Record<string, string>;
  fetch(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
  close(): Promise<void>;
}

export interface TestApp extends RunningApp {
  program: Program;
}

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };

/** The whole program on a database of its own and a free port, with limits that tests do not run into. */
export async function testApp(environment: Environment = {}): Promise<TestApp> {
  const db = await testDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'navigator-app-'));
  const generous = ['AUTH', 'STRANGER', 'UPLOAD', 'QUESTION', 'SEARCH', 'READ', 'WRITE'].map((name) => [
    `RATE_${name}_PER_MINUTE`,
    '100000',
  ]);
  const program = await startProgram(
    loadConfig(sections, {
      DATABASE_URL: db.url,
      DATA_DIR: dataDir,
      PORT: '0',
      LOG_LEVEL: 'silent',
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      // Tests share the event loop with the program, and stop it while they load modules.
      ADMISSION_LOOP_DELAY_MS: '600000',
      ...(Object.fromEntries(generous) as Environment),
      ...environment,
    }),
  );
  const request = ({ json, ...init }: RequestInit & { json?: unknown }): RequestInit =>
    json === undefined
      ? init
      : {
          method: 'POST',
          ...init,
          body: JSON.stringify(json),
          headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
        };
  const app: TestApp = {
    program,
    url: program.url,
    db,
    dataDir,
    admin: {},
    fetch: (path, init = {}) => fetch(`${program.url}${path}`, request(init)),
    async close() {
      await program.stop();
      await db.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  const login = await app.fetch('/v1/auth/login', { json: ADMIN });
  const { access_token } = (await login.json()) as { access_token: string };
  app.admin = { authorization: `Bearer ${access_token}` };
  return app;
}
