import { randomBytes } from 'node:crypto';
import { open, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAKE_DIMENSIONS, FakeModelServer } from './fake-model-server.js';
import { mailTo } from './mail-folder.js';
import { eventually } from './operator.js';
import { PASSWORD, peopleOf } from './people.js';
import { spawnProgram } from './program-process.js';
import { ADMIN, type RunningApp } from './test-app.js';
import { testDatabase } from './test-database.js';

/** Who in the tenant that a text belongs to may see it; nobody else may. */
export type Audience = 'owner' | 'administrators' | 'managers' | 'everybody';

export interface Canary {
  what: string;
  text: string;
  seenBy: Audience;
}

/** A text that occurs nowhere by chance, of letters that survive wherever an address or a name is made of it. */
export const newCanary = (what: string, seenBy: Audience): Canary => ({
  what,
  seenBy,
  text: `canary${randomBytes(6).toString('hex')}`,
});

/** The real program in its own process, with a model, an embedder and an endpoint that only pretend. */
export async function leakApp(environment: Record<string, string> = {}) {
  const [db, model, endpoint] = [
    await testDatabase(),
    await FakeModelServer.start(),
    await endpointOfWebhooks(),
  ];
  model.say({ cited: true });
  const dataDir = await mkdtemp(join(tmpdir(), 'navigator-leak-'));
  const logPath = join(dataDir, 'program.log');
  const log = await open(logPath, 'w');
  const program = spawnProgram(
    {
      DATABASE_URL: db.url,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'debug',
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      CHAT_MODELS: 'compatible:fake',
      COMPATIBLE_BASE_URL: `${model.url}/v1`,
      EMBEDDER_PROVIDER: 'compatible',
      EMBEDDER_MODEL: 'fake',
      EMBEDDER_DIMENSIONS: String(FAKE_DIMENSIONS),
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      WEBHOOK_POLL_MS: '50',
      MAIL_POLL_MS: '50',
      WORKER_POLL_MS: '100',
      ADMISSION_LOOP_DELAY_MS: '600000',
      AUTH_PASSWORD_MEMORY_KIB: '7168',
      ...generousLimits(),
      ...environment,
    },
    { logFile: log.fd },
  );
  const url = await program.url;
  const app: RunningApp = {
    url,
    db,
    dataDir,
    admin: {},
    fetch: (path, { json, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        ...(json !== undefined && { method: init.method ?? 'POST', body: JSON.stringify(json) }),
        headers: {
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...(init.headers as Record<string, string>),
        },
      }),
    async close() {
      program.child.kill('SIGTERM');
      await program.exit;
      await log.close();
      await model.close();
      endpoint.close();
      endpoint.closeAllConnections();
      await db.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  const people = peopleOf(app);
  app.admin = (await people.session(ADMIN.email, ADMIN.password)).headers;
  return {
    app,
    model,
    people,
    webhookUrl: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
    logged: () => readFile(logPath, 'utf8'),
  };
}
export type LeakApp = Awaited<ReturnType<typeof leakApp>>;

/** Limits that only a flood would run into. */
export const generousLimits = () =>
  Object.fromEntries([
    ...['AUTH', 'STRANGER', 'UPLOAD', 'QUESTION', 'SEARCH', 'READ', 'WRITE'].map((name) => [
      `RATE_${name}_PER_MINUTE`,
      '1000000',
    ]),
    ['AUTH_LOGINS_PER_MINUTE', '1000'],
    ['AUTH_NETWORK_LOGINS_PER_MINUTE', '1000'],
  ]) as Record<string, string>;

/** A tenant with an administrator who accepted his invitation. */
export async function newTenant({ app, people }: LeakApp, operator: Record<string, string>, name: string) {
  const email = `${newCanary('e-mail', 'administrators').text}@example.com`;
  const made = await people.send('POST', '/v1/tenants', operator, { name, admin_email: email });
  if (made.status !== 201) throw new Error(`The tenant was answered with ${made.status}`);
  const { token } = await mailTo(app, email, name);
  const accepted = await people.send(
    'POST',
    '/v1/auth/invitations/accept',
    {},
    { token, password: PASSWORD },
  );
  const admin = { id: accepted.body.id as string, email, ...(await people.session(email)) };
  return { id: made.body.id as string, name, admin };
}

/** Somebody new in the tenant of this administrator, with an address that occurs nowhere else. */
export async function newPerson(
  { app, people }: LeakApp,
  admin: Record<string, string>,
  role: string,
  email: string,
) {
  const invited = await people.send('POST', '/v1/invitations', admin, { email, role });
  if (invited.status !== 201) throw new Error(`The invitation was answered with ${invited.status}`);
  const { token } = await mailTo(app, email, 'invited');
  const accepted = await people.send(
    'POST',
    '/v1/auth/invitations/accept',
    {},
    { token, password: PASSWORD },
  );
  return { id: accepted.body.id as string, email, role, ...(await people.session(email)) };
}
export type Person = Awaited<ReturnType<typeof newPerson>>;

/** Uploads a file as this person and waits until it is ready. */
export async function uploadAs(
  { app, people }: LeakApp,
  headers: Record<string, string>,
  filename: string,
  text: string,
  fields: Record<string, string>,
): Promise<string> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', new File([text], filename, { type: 'text/markdown' }));
  const sent = await app.fetch('/v1/documents', { method: 'POST', body, headers });
  if (sent.status !== 202) throw new Error(`The upload was answered with ${sent.status}`);
  const { id } = (await sent.json()) as { id: string };
  await eventually(
    async () => (await people.send('GET', `/v1/documents/${id}`, headers)).body.status as string,
    (status) => status === 'ready',
  );
  return id;
}

async function endpointOfWebhooks(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
