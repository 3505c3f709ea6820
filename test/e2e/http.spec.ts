import { connect } from 'node:net';
import { Lifecycle } from '#libs/health';
import { testApp, type TestApp } from '../support/test-app.js';

interface ProblemBody {
  code: string;
  status: number;
  request_id: string;
  retryable: boolean;
}

interface ResponseObject {
  description?: string;
  content?: Record<string, { schema?: object }>;
}
interface Operation {
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  responses: Record<string, ResponseObject>;
}
interface OpenApiDocument {
  security?: Record<string, string[]>[];
  paths: Record<string, Record<string, Operation>>;
}

/** An answer without a body is described by its status, any other one by its schema. */
function describesSuccess(responses: Record<string, ResponseObject>): boolean {
  return Object.entries(responses).some(
    ([status, { content }]) =>
      // To be sent elsewhere has no body either.
      status === '204' ||
      status === '302' ||
      (/^2/.test(status) && Object.values(content ?? {}).some(({ schema }) => schema)),
  );
}

describe('HTTP conventions', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp();
  });
  afterAll(() => app.close());

  async function expectProblem(response: Response, status: number, code: string): Promise<ProblemBody> {
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const body = (await response.json()) as ProblemBody;
    expect(body).toMatchObject({ status, code, type: `/problems/${code}` });
    expect(body.request_id).toBe(response.headers.get('x-request-id'));
    return body;
  }

  describe('every failure is a problem document', () => {
    it('for a route that does not exist', async () => {
      await expectProblem(await app.fetch('/v1/nothing', { headers: app.admin }), 404, 'route-not-found');
    });

    it('for a body that is not JSON', async () => {
      const response = await app.fetch('/v1/conversations', {
        method: 'POST',
        body: '{"title": ',
        headers: { ...app.admin, 'content-type': 'application/json' },
      });
      await expectProblem(response, 400, 'invalid-json');
    });

    it('for a content type that nobody reads', async () => {
      const response = await app.fetch('/v1/conversations', {
        method: 'POST',
        body: '<xml/>',
        headers: { ...app.admin, 'content-type': 'application/xml' },
      });
      await expectProblem(response, 415, 'unsupported-media-type');
    });

    it('for a JSON body over a megabyte', async () => {
      const response = await app.fetch('/v1/conversations', {
        json: { title: 'x'.repeat(1_100_000) },
        headers: app.admin,
      });
      await expectProblem(response, 413, 'body-too-large');
    });

    it('for a member that does not exist, naming it and not its value', async () => {
      const response = await app.fetch('/v1/conversations', {
        json: { title: 'fine', tenant_id: 'somebody-else' },
        headers: app.admin,
      });
      const body = await expectProblem(response, 400, 'validation-failed');
      expect(JSON.stringify(body)).toContain('tenant_id');
      expect(JSON.stringify(body)).not.toContain('somebody-else');
    });

    it('for a request without credentials, saying which are asked for', async () => {
      const response = await app.fetch('/v1/me');
      await expectProblem(response, 401, 'unauthenticated');
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    });

    it('for an id that is none', async () => {
      const response = await app.fetch('/v1/documents/not-a-uuid', { headers: app.admin });
      await expectProblem(response, 400, 'validation-failed');
    });

    it('for a URL that cannot be decoded', async () => {
      expect((await rawRequest(app, 'GET /%zz HTTP/1.1')).split('\r\n')[0]).toContain('400');
      expect(await rawRequest(app, 'GET /%zz HTTP/1.1')).toContain('application/problem+json');
    });

    it('for a cursor that no list gave out', async () => {
      const response = await app.fetch('/v1/documents?cursor=abc', { headers: app.admin });
      await expectProblem(response, 400, 'invalid-cursor');
    });

    it('for a deadline that is no number', async () => {
      const response = await app.fetch('/v1/search', {
        json: { query: 'deductible' },
        headers: { ...app.admin, 'x-deadline-ms': 'soon' },
      });
      await expectProblem(response, 400, 'invalid-deadline');
    });
  });

  describe('every response', () => {
    it('carries the request id that the client chose, when it is one', async () => {
      const chosen = await app.fetch('/health/live', { headers: { 'x-request-id': 'client-chosen-1' } });
      expect(chosen.headers.get('x-request-id')).toBe('client-chosen-1');
      const refused = await app.fetch('/health/live', { headers: { 'x-request-id': '<script>' } });
      expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('forbids caching, sniffing, framing and scripts', async () => {
      const { headers } = await app.fetch('/v1/me', { headers: app.admin });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    });

    it('says how much of its limit is left', async () => {
      const { headers } = await app.fetch('/v1/me', { headers: app.admin });
      expect(headers.get('ratelimit-limit')).toBe('100000');
      expect(Number(headers.get('ratelimit-remaining'))).toBeLessThan(100_000);
    });
  });

  describe('an Idempotency-Key', () => {
    const create = (key: string, title: string) =>
      app.fetch('/v1/conversations', { json: { title }, headers: { ...app.admin, 'idempotency-key': key } });

    it('makes a repeated POST answer with what the first one made', async () => {
      const first = await create('key-1', 'My plan');
      const second = await create('key-1', 'My plan');
      expect(second.status).toBe(201);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect(await second.json()).toEqual(await first.json());
    });

    it('is refused for another request', async () => {
      await create('key-2', 'My plan');
      await expectProblem(await create('key-2', 'Another plan'), 422, 'idempotency-key-reused');
    });

    it('lets exactly one of many parallel requests through', async () => {
      const responses = await Promise.all(Array.from({ length: 10 }, () => create('key-3', 'Raced')));
      const ids = new Set<string>();
      for (const response of responses)
        if (response.status === 201) ids.add(((await response.json()) as { id: string }).id);
        else await expectProblem(response, 409, 'idempotent-request-in-progress');
      expect(ids.size).toBe(1);
    });

    it('is forgotten when the request failed', async () => {
      const headers = { ...app.admin, 'idempotency-key': 'key-4' };
      await expectProblem(
        await app.fetch('/v1/conversations', { json: { nope: 1 }, headers }),
        400,
        'validation-failed',
      );
      const again = await app.fetch('/v1/conversations', { json: { nope: 1 }, headers });
      await expectProblem(again, 400, 'validation-failed');
    });

    it('never replays a response that held a secret', async () => {
      const make = () =>
        app.fetch('/v1/api-keys', {
          json: { name: 'once' },
          headers: { ...app.admin, 'idempotency-key': 'key-5' },
        });
      expect((await make()).status).toBe(201);
      await expectProblem(await make(), 409, 'idempotent-response-not-kept');
    });
  });

  describe('health', () => {
    it('is live and ready, and shows its components', async () => {
      expect((await app.fetch('/health/live')).status).toBe(200);
      const ready = await app.fetch('/health/ready');
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ status: 'ok', components: { database: { status: 'up' } } });
      const all = (await (await app.fetch('/health')).json()) as { components: object };
      expect(Object.keys(all.components)).toEqual(
        expect.arrayContaining(['database', 'embedder', 'job-queue']),
      );
    });
  });

  describe('documentation', () => {
    it('serves OpenAPI 3.1 with every route of the product', async () => {
      const document = (await (await app.fetch('/openapi.json')).json()) as {
        openapi: string;
        paths: Record<string, Record<string, unknown>>;
      };
      expect(document.openapi).toMatch(/^3\.1/);
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining([
          '/v1/auth/login',
          '/v1/api-keys',
          '/v1/me',
          '/v1/documents',
          '/v1/documents/{id}/events',
          '/v1/search',
          '/v1/conversations/{id}/questions',
          '/v1/audit/events',
          '/v1/admin/resilience/{name}/isolate',
          '/v1/admin/alerts',
          '/v1/admin/faults',
          '/health/level',
          '/health/ready',
        ]),
      );
    });

    it('describes every operation: what it is for, what it answers and whether it needs a credential', async () => {
      const document = (await (await app.fetch('/openapi.json')).json()) as OpenApiDocument;
      const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({
          name: `${method} ${path}`,
          security: document.security,
          ...operation,
        })),
      );
      expect(operations.length).toBeGreaterThan(20);
      const namesOf = (list: { name: string }[]) => list.map(({ name }) => name).sort();
      expect(namesOf(operations.filter(({ summary }) => !summary))).toEqual([]);
      expect(namesOf(operations.filter(({ tags }) => !tags?.length))).toEqual([]);
      expect(namesOf(operations.filter(({ responses }) => !describesSuccess(responses)))).toEqual([]);
      expect(namesOf(operations.filter(({ security }) => !security?.length))).toEqual([
        'get /.well-known/jwks.json',
        'get /health',
        'get /health/level',
        'get /health/live',
        'get /health/ready',
        'get /v1/auth/oidc/callback',
        'get /v1/auth/oidc/start',
        'post /v1/auth/invitations/accept',
        'post /v1/auth/login',
        'post /v1/auth/login/second-factor',
        'post /v1/auth/password/forgot',
        'post /v1/auth/password/reset',
        'post /v1/auth/refresh',
        'post /v1/auth/sign-up',
        'post /v1/auth/sign-up/complete',
      ]);
      const guarded = operations.filter(({ security }) => security?.length);
      expect(guarded.every(({ security }) => security!.some((scheme) => 'bearer' in scheme))).toBe(true);
    });

    it('serves a page to browse it', async () => {
      const response = await app.fetch('/docs');
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/html/);
    });
  });

  describe('metrics', () => {
    it('are for administrators, in the format of Prometheus', async () => {
      expect((await app.fetch('/metrics')).status).toBe(401);
      const text = await (await app.fetch('/metrics', { headers: app.admin })).text();
      expect(text).toContain('navigator_http_requests_total{');
      expect(text).toContain('navigator_database_connections{state="idle"}');
      expect(text).toContain('navigator_policy_state{policy="postgres",state="closed"} 1');
    });
  });
});

describe('a program that is draining', () => {
  it('refuses new questions with 503 and sends their clients elsewhere', async () => {
    const app = await testApp();
    try {
      const headers = app.admin;
      const created = await app.fetch('/v1/conversations', { json: {}, headers });
      const { id } = (await created.json()) as { id: string };
      app.program.app.get(Lifecycle).drain();
      for (const accept of ['application/json', 'text/event-stream']) {
        const refused = await app.fetch(`/v1/conversations/${id}/questions`, {
          json: { question: 'What is the deductible?' },
          headers: { ...headers, accept },
        });
        expect(refused.status).toBe(503);
        expect(refused.headers.get('retry-after')).toBe('1');
        expect(await refused.json()).toMatchObject({ code: 'shutting-down', retryable: true });
      }
    } finally {
      await app.close();
    }
  });
});

describe('rate limits', () => {
  it('answer 429 with the time to wait once the limit of a route class is reached', async () => {
    const app = await testApp({ RATE_SEARCH_PER_MINUTE: '2' });
    try {
      const search = () => app.fetch('/v1/search', { json: { query: 'deductible' }, headers: app.admin });
      for (let i = 0; i < 2; i++) expect((await search()).status).toBe(200);
      const refused = await search();
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({
        code: 'too-many-requests',
        rate_class: 'search',
        retryable: true,
      });
      expect((await app.fetch('/v1/me', { headers: app.admin })).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});

/** A request line that fetch would not send. */
function rawRequest(app: TestApp, line: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${line}\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
