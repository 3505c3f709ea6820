import { connect } from 'node:net';
import { loadConfig } from '#libs/config';
import { sections } from '../../apps/api/src/app.config.js';
import { testApp, type TestApp } from '../support/test-app.js';

const CONSOLE = 'https://console.example.com';
const NEVER_ECHOED = 'canary-3f1c';

describe('what the program answers to strangers and browsers', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ BROWSER_ORIGINS: CONSOLE });
  });
  afterAll(() => app?.close());

  /** The head and the body of the answer to bytes that fetch would not send. */
  function raw(...lines: string[]): Promise<string> {
    const { hostname, port } = new URL(app.url);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect(Number(port), hostname, () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text)).on('error', reject);
    return promise;
  }
  const statusOf = (answer: string) => Number(answer.split(' ')[1]);
  const post = (body: string, type: string, path = '/v1/conversations') =>
    app.fetch(path, { method: 'POST', body, headers: { ...app.admin, 'content-type': type } });

  it('tells browsers to keep, run, frame, guess and pass on nothing, whatever the answer is', async () => {
    const answers = [
      await app.fetch('/v1/me', { headers: app.admin }),
      await app.fetch('/v1/me'),
      await app.fetch('/v1/nothing'),
      await app.fetch('/health/live'),
      await app.fetch('/openapi.json'),
      await app.fetch('/v1/documents?limit=1&limit=2', { headers: app.admin }),
    ];
    for (const { url, headers } of answers)
      expect({ url, ...Object.fromEntries(headers) }).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; base-uri 'none'; .*frame-ancestors 'none'; sandbox$/,
        ),
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'content-type': expect.stringMatching(/^application\/(problem\+)?json; charset=utf-8$/),
        'referrer-policy': 'no-referrer',
        'permissions-policy': expect.stringContaining('camera=()'),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    expect(answers.every(({ headers }) => !headers.has('x-powered-by') && !headers.has('server'))).toBe(true);
    const docs = (await app.fetch('/docs')).headers.get('content-security-policy');
    expect(docs).toMatch(/^default-src 'none'; script-src 'self'.*object-src 'none'; base-uri 'none'/);
    const badUrl = await raw('GET /%zz HTTP/1.1', 'Host: a', 'Connection: close');
    for (const header of ['content-security-policy', 'strict-transport-security', 'cache-control: no-store'])
      expect(badUrl.toLowerCase()).toContain(header);
  });

  it.each([
    ['text/plain', '{"title":"x"}'],
    ['application/x-www-form-urlencoded', 'title=x'],
    ['application/xml', '<title/>'],
    ['text/html', '<b>'],
    ['application/jsonp', 'x({})'],
  ])('reads no %s where JSON is expected', async (type, body) => {
    const response = await post(body, type);
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
    });
  });

  it('reads JSON whatever its charset says, and an action without a body', async () => {
    expect((await post('{"title":"x"}', 'application/json; charset=utf-8')).status).toBe(201);
    expect((await app.fetch('/v1/conversations', { json: {}, headers: app.admin })).status).toBe(201);
  });

  it('refuses a query that says something twice', async () => {
    const response = await app.fetch('/v1/documents?limit=1&limit=100', { headers: app.admin });
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({
      status: 400,
      code: 'duplicate-parameter',
      request_id: response.headers.get('x-request-id'),
    });
  });

  it.each([
    '{"title":"x","__proto__":{"isAdmin":true}}',
    '{"title":"x","constructor":{"prototype":{"isAdmin":true}}}',
    '{"title":"x","\\u005f\\u005fproto\\u005f\\u005f":{"isAdmin":true}}',
  ])('refuses a body that would change what objects inherit: %s', async (body) => {
    expect((await post(body, 'application/json')).status).toBe(400);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each(['TRACE', 'TRACK', 'CONNECT', 'PROPFIND', 'PUT', 'LINK'])(
    'neither serves %s nor echoes what came with it',
    async (method) => {
      const answer = await raw(
        `${method} /v1/me HTTP/1.1`,
        'Host: a',
        `Cookie: secret=${NEVER_ECHOED}`,
        'Connection: close',
      );
      if (method !== 'CONNECT') expect([400, 404, 405, 501]).toContain(statusOf(answer));
      expect(answer).not.toContain(NEVER_ECHOED);
    },
  );

  it.each([
    [['Content-Length: 5', 'Transfer-Encoding: chunked']],
    [['Content-Length: 5', 'Content-Length: 6']],
    [['Transfer-Encoding: chunked, identity']],
    [['Content-Length: 5', 'X-Folded: a', ' b: c']],
  ])('refuses a message whose end two readers could see in two places: %j', async (headers) => {
    const answer = await raw(
      'POST /v1/auth/login HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      ...headers,
      '',
      '0',
    );
    expect(statusOf(answer)).toBe(400);
    // By the parser, before anything of ours has seen it.
    expect(answer.toLowerCase()).not.toContain('x-request-id');
  });

  it('refuses headers that are longer than anybody needs', async () => {
    const answer = await raw('GET /v1/me HTTP/1.1', 'Host: a', `X-Long: ${'x'.repeat(20_000)}`);
    expect(statusOf(answer)).toBe(431);
  });

  describe('to pages of other origins', () => {
    const ask = (origin: string, method = 'GET') =>
      app.fetch('/v1/me', {
        method,
        headers: { origin, ...(method === 'OPTIONS' && { 'access-control-request-method': 'GET' }) },
      });

    it('allows those that the operator names, without cookies', async () => {
      const preflight = await ask(CONSOLE, 'OPTIONS');
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(CONSOLE);
      expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
      expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
      const answer = await ask(CONSOLE);
      expect(answer.headers.get('access-control-allow-origin')).toBe(CONSOLE);
      expect(answer.headers.get('vary')).toContain('origin');
    });

    it.each([`${CONSOLE}.evil.example`, 'http://console.example.com', `${CONSOLE}:8443`, 'null', '*'])(
      'allows nobody else: %s',
      async (origin) => {
        for (const method of ['GET', 'OPTIONS']) {
          const { status, headers } = await ask(origin, method);
          expect([401, 404]).toContain(status);
          expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
        }
      },
    );
  });
});

describe('a program that was told no origins and shows no documentation', () => {
  it('lets no page of another origin read anything, and describes itself to nobody', async () => {
    const app = await testApp({ BROWSER_DOCS: 'false' });
    try {
      const { headers } = await app.fetch('/health/live', { headers: { origin: CONSOLE } });
      expect(headers.has('access-control-allow-origin')).toBe(false);
      for (const path of ['/docs', '/docs/', '/openapi.json'])
        expect((await app.fetch(path)).status).toBe(404);
    } finally {
      await app.close();
    }
  });

  it('does not start with an origin that is none', () => {
    for (const origins of ['*', 'null', 'console.example.com', 'https://a.example/path', 'javascript:1'])
      expect(() => loadConfig(sections, { BROWSER_ORIGINS: origins })).toThrow('BROWSER_ORIGINS');
  });
});
