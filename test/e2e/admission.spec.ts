import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { register } from 'prom-client';
import { Admission, Pressure } from '#libs/http';
import { formatApiKey, hashOfSecret, newApiKey } from '../../apps/api/src/auth/api-keys/api-key.js';
import { allEvents } from '../support/event-reader.js';
import { testApp, type TestApp } from '../support/test-app.js';
import type { TestDatabase } from '../support/test-database.js';

interface Refused {
  code: string;
  status: number;
  retry_after_ms: number;
  request_id: string;
}

/** Headers with an API key of a tenant of its own. */
async function tenantOf(db: TestDatabase): Promise<Record<string, string>> {
  const { tenantId, userId } = await db.createTenant();
  const key = newApiKey();
  await db.owner.query(
    `insert into api_key (tenant_id, id, user_id, public_id, secret_hash, name, expires_at)
     values ($1, gen_random_uuid(), $2, $3, $4, 'test', now() + interval '1 day')`,
    [tenantId, userId, key.publicId, hashOfSecret(key.secret)],
  );
  return { authorization: `Bearer ${formatApiKey(key)}` };
}

const statusesOf = (responses: Response[]) => responses.map(({ status }) => status);

describe('quotas', () => {
  let app: TestApp;
  let flooder: Record<string, string>;
  let neighbour: Record<string, string>;
  beforeAll(async () => {
    app = await testApp({
      RATE_SEARCH_PER_MINUTE: '3',
      RATE_UPLOAD_PER_MINUTE: '10',
      RATE_STRANGER_PER_MINUTE: '20',
      RATE_AUTH_PER_MINUTE: '5',
    });
    flooder = await tenantOf(app.db);
    neighbour = await tenantOf(app.db);
  });
  afterAll(() => app.close());

  const search = (headers: Record<string, string>) =>
    app.fetch('/v1/search', { json: { query: 'deductible' }, headers });

  it('count an upload by its size, also when that was not said before', async () => {
    const caller = await tenantOf(app.db);
    const boundary = 'x';
    const part = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n`;
    // The second file is one too many, so nothing is kept of either.
    const body = [part, ...Array<string>(33).fill('some text \n'.repeat(95_326)), `\r\n${part}`];
    const upload = async (content: ReadableStream | string) => {
      const headers = { ...caller, 'content-type': `multipart/form-data; boundary=${boundary}` };
      const response = await app.fetch('/v1/documents', {
        method: 'POST',
        headers,
        body: content,
        duplex: 'half',
      } as RequestInit);
      await response.arrayBuffer();
      return Number(response.headers.get('ratelimit-remaining'));
    };
    expect(await upload(ReadableStream.from(body).pipeThrough(new TextEncoderStream()))).toBe(9);
    expect(await upload('')).toBeLessThan(7);
  });

  it('end a flood with 429 and its headers, and leave another tenant behind the same address alone', async () => {
    const flood = [];
    for (let i = 0; i < 12; i++) flood.push(await search(flooder));
    expect(statusesOf(flood.slice(0, 3))).toEqual([200, 200, 200]);
    expect(flood[2]!.headers.get('ratelimit-remaining')).toBe('0');
    expect(new Set(statusesOf(flood.slice(3)))).toEqual(new Set([429]));
    for (const refused of flood.slice(3)) {
      const body = (await refused.json()) as Refused;
      expect(body).toMatchObject({ code: 'too-many-requests', status: 429, retryable: true });
      expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(body.retry_after_ms / 1_000));
      expect(body.retry_after_ms).toBeGreaterThan(0);
      expect(body.retry_after_ms).toBeLessThanOrEqual(20_000);
      expect(refused.headers.get('x-request-id')).toBe(body.request_id);
    }
    for (let i = 0; i < 3; i++) expect((await search(neighbour)).status).toBe(200);
    expect((await app.fetch('/v1/me', { headers: flooder })).status).toBe(200);
  });

  it('keep out who tries credentials, and nobody of his address who has a good one', async () => {
    const guess = () => app.fetch('/v1/me', { headers: { authorization: 'Bearer guess' } });
    expect((await app.fetch('/v1/me', { headers: neighbour })).status).toBe(200);
    const guesses = [];
    for (let i = 0; i < 25; i++) guesses.push(await guess());
    expect(guesses[0]!.status).toBe(401);
    expect(guesses.at(-1)!.status).toBe(429);
    expect((await app.fetch('/v1/nothing')).status).toBe(429);
    expect((await app.fetch('/v1/me', { headers: neighbour })).status).toBe(200);
    expect((await app.fetch('/health/live')).status).toBe(200);
  });

  it('of logins belong to an address', async () => {
    const login = () =>
      app.fetch('/v1/auth/login', { json: { email: 'a@example.com', password: 'wrong password' } });
    const logins = [];
    for (let i = 0; i < 8; i++) logins.push(await login());
    expect(logins.at(-1)!.status).toBe(429);
  });
});

describe('a process that is too full', () => {
  let app: TestApp;
  let level = 0;
  let conversation: string;
  beforeAll(async () => {
    app = await testApp();
    const created = await app.fetch('/v1/conversations', { json: {}, headers: app.admin });
    conversation = ((await created.json()) as { id: string }).id;
    // As if the signals had said so for a while.
    Object.defineProperty(app.program.app.get(Pressure), 'value', { get: () => level });
  });
  beforeEach(() => (level = 0));
  afterAll(() => app.close());

  const ways: Record<string, (headers?: Record<string, string>) => Promise<Response>> = {
    health: () => app.fetch('/health/live'),
    metrics: () => app.fetch('/metrics', { headers: app.admin }),
    search: (more) =>
      app.fetch('/v1/search', { json: { query: 'deductible' }, headers: { ...app.admin, ...more } }),
    create: () => app.fetch('/v1/conversations', { json: {}, headers: app.admin }),
    list: (more) => app.fetch('/v1/documents', { headers: { ...app.admin, ...more } }),
  };
  const shedAt = async (pressure: number): Promise<string[]> => {
    level = pressure;
    const shed: string[] = [];
    for (const [name, ask] of Object.entries(ways)) if ((await ask()).status === 503) shed.push(name);
    return shed;
  };

  it('gives up lists first, then changes, then nearly all questions, and never what runs the installation', async () => {
    expect(await shedAt(0.79)).toEqual([]);
    expect(await shedAt(0.85)).toEqual(['list']);
    expect(await shedAt(0.9)).toEqual(['create', 'list']);
    level = 8;
    const searches = await Promise.all(Array.from({ length: 100 }, () => ways.search!()));
    const refused = statusesOf(searches).filter((status) => status === 503).length;
    expect(refused).toBeGreaterThan(60);
    expect(refused).toBeLessThan(100);
    expect(await shedAt(8)).toEqual(expect.arrayContaining(['create', 'list']));
    expect(await shedAt(8)).not.toEqual(expect.arrayContaining(['health']));
    expect(await shedAt(8)).not.toEqual(expect.arrayContaining(['metrics']));
  });

  it('says when to come back, that it serves nothing, and counts it', async () => {
    level = 0.85;
    const refused = await ways.list!();
    expect(refused.headers.get('x-service-level')).toBe('unavailable');
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const body = (await refused.json()) as Refused;
    expect(body).toMatchObject({ code: 'overloaded', status: 503, retryable: true });
    expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil(body.retry_after_ms / 1_000));
    expect(body.retry_after_ms).toBeGreaterThanOrEqual(1_000);
    expect(body.retry_after_ms).toBeLessThanOrEqual(4_000);
    expect(await register.getSingleMetricAsString('navigator_shed_total')).toMatch(
      /navigator_shed_total\{class="sheddable",reason="[a-z-]+"\} \d/,
    );
  });

  it('lets a client make its request less important, and not more', async () => {
    level = 0.85;
    expect((await ways.search!({ 'x-priority': 'sheddable' })).status).toBe(503);
    expect((await ways.search!({ 'x-priority': 'nonsense' })).status).toBe(200);
    expect((await ways.list!({ 'x-priority': 'critical-plus' })).status).toBe(503);
  });

  it('answers an upload before its body has come, and does not read it for ever', async () => {
    level = 0.9;
    const { port } = app.program.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /v1/documents HTTP/1.1\r\nHost: a\r\nAuthorization: ${app.admin.authorization}\r\n` +
        'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n--x',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 /);
    socket.resume();
    await once(socket, 'close');
  });

  it('lets questions wait their turn at the gate, and refuses those that would wait too long', async () => {
    const { gate } = app.program.app.get(Admission);
    const held = Array.from({ length: gate.limit }, () =>
      gate.tryEnter({ tenantId: 'other', priority: 'critical' })!,
    );
    const waiting = ways.search!();
    while (gate.queued === 0) await new Promise((resolve) => setImmediate(resolve));
    const aborted = new AbortController();
    const left = app
      .fetch(`/v1/conversations/${conversation}/questions`, {
        json: { question: 'What is the deductible?' },
        headers: app.admin,
        signal: aborted.signal,
      })
      .catch((error: Error) => error.name);
    while (gate.queued < 2) await new Promise((resolve) => setImmediate(resolve));
    aborted.abort();
    expect(await left).toBe('AbortError');
    while (gate.queued > 1) await new Promise((resolve) => setImmediate(resolve));
    for (const release of held) release();
    expect((await waiting).status).toBe(200);
    while (gate.inUse > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('an event loop that stood still', () => {
  it('has what came meanwhile shed, except what runs the installation', async () => {
    const app = await testApp({ ADMISSION_LOOP_DELAY_MS: '100' });
    try {
      // Requests that are on their way while the loop does not turn.
      const live = app.fetch('/health/live');
      const list = app.fetch('/v1/documents', { headers: app.admin });
      await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + 2_000;
      while (performance.now() < until);
      expect((await live).status).toBe(200);
      expect((await list).status).toBe(503);
      const { cause } = app.program.app.get(Pressure);
      expect(cause).toBe('event-loop');
      const recovered = async () => (await app.fetch('/v1/documents', { headers: app.admin })).status;
      while ((await recovered()) === 503) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await recovered()).toBe(200);
    } finally {
      await app.close();
    }
  });
});

describe('event streams', () => {
  let app: TestApp;
  let id: string;
  beforeAll(async () => {
    app = await testApp({ STREAM_WATCHERS_PER_TENANT: '2', ROLE: 'api' });
    const form = new FormData();
    form.append('file', new Blob(['The deductible is $500.']), 'plan.txt');
    const uploaded = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
    ({ id } = (await uploaded.json()) as { id: string });
  });
  afterAll(() => app.close());

  /** Nobody processes it, so its watchers have to wait. */
  const watch = (signal?: AbortSignal) =>
    app.fetch(`/v1/documents/${id}/events`, { headers: app.admin, signal });

  it('are refused with 429 beyond what a tenant may have, and leave room when they end', async () => {
    const leave = new AbortController();
    expect((await watch(leave.signal)).status).toBe(200);
    const second = await watch();
    expect(second.status).toBe(200);
    const third = await watch();
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({ code: 'too-many-streams', retryable: true });
    leave.abort();
    let next = await watch();
    while (next.status === 429) next = await watch();
    expect(next.status).toBe(200);
    await Promise.all([second.body?.cancel(), next.body?.cancel()]);
  });

  it('end for whose session has ended', async () => {
    let response = await watch();
    while (response.status === 429) response = await watch();
    const events = allEvents(response);
    expect((await app.fetch('/v1/auth/logout', { json: {}, headers: app.admin })).status).toBe(204);
    expect((await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'session-ended' } });
  }, 20_000);
});
