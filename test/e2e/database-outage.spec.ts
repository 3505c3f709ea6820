import { setTimeout as delay } from 'node:timers/promises';
import { appBehindProxy } from '../support/app-behind-proxy.js';
import type { FaultProxy } from '../support/fault-proxy.js';
import { ADMIN, type TestApp } from '../support/test-app.js';

describe('the program while its database is away', () => {
  let app: TestApp;
  let proxy: FaultProxy;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ app, proxy, close } = await appBehindProxy());
  }, 60_000);
  afterAll(() => close());
  afterEach(async () => {
    await proxy.heal();
    while ((await status('/v1/me', app.admin)) !== 200) await delay(20);
  });

  const status = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.fetch(path, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  const problem = async (path: string, headers: Record<string, string>) => {
    const response = await app.fetch(path, { headers });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ...(await bodyOf(response)),
    };
  };
  const bodyOf = async (response: Response) => (await response.json()) as { code: string };
  async function tokenNotSeenYet(): Promise<Record<string, string>> {
    const response = await app.fetch('/v1/auth/login', { json: ADMIN });
    const { access_token } = (await response.json()) as { access_token: string };
    return { authorization: `Bearer ${access_token}` };
  }
  /** Is refused for its own reason as soon as it is known who asks, and needs no database for that. */
  const NEEDS_IDENTITY_ONLY = '/v1/conversations?cursor=no-cursor';
  const gone = async () => {
    await proxy.inject({ connect: 'refuse' });
    proxy.resetConnections();
  };

  it('lives, is not ready, and is ready again when it is back', async () => {
    expect(await status('/health/ready')).toBe(200);
    await gone();
    expect(await status('/health/live')).toBe(200);
    expect(await status('/health/ready')).toBe(503);
    await proxy.heal();
    while ((await status('/health/ready')) !== 200) await delay(20);
  });

  it('is not ready within two seconds when the database falls silent', async () => {
    await proxy.inject({ toServer: { hang: true }, toClient: { hang: true }, connect: 'half-open' });
    expect(await status('/health/ready')).toBe(503);
    expect(await status('/health/live')).toBe(200);
  });

  it('says when to come back, and goes on knowing whom it has just verified', async () => {
    expect(await status('/v1/me', app.admin)).toBe(200);
    await gone();
    expect(await problem('/v1/me', app.admin)).toMatchObject({
      status: 503,
      code: 'dependency-unavailable',
      retryAfter: expect.stringMatching(/^\d+$/) as unknown,
    });
    expect((await problem(NEEDS_IDENTITY_ONLY, app.admin)).code).toBe('invalid-cursor');
    // Longer than a verified credential is believed without a look.
    const end = performance.now() + 5_200;
    while (performance.now() < end) await delay(200);
    expect((await problem(NEEDS_IDENTITY_ONLY, app.admin)).code).toBe('invalid-cursor');
  });

  it('lets nobody in whom it has not verified, and does not call him a liar', async () => {
    const stranger = await tokenNotSeenYet();
    await gone();
    expect(await problem(NEEDS_IDENTITY_ONLY, stranger)).toMatchObject({
      status: 503,
      code: 'dependency-unavailable',
    });
    const forged = { authorization: `${stranger.authorization}x` };
    expect((await problem(NEEDS_IDENTITY_ONLY, forged)).status).toBe(401);
  });
});
