import { loadConfig } from '#libs/config';
import { DependencyUnavailable } from '#libs/errors';
import { oidcSection } from './oidc.config.js';
import { SsoNotConfigured } from './oidc.errors.js';
import { OidcProvider } from './oidc.provider.js';

const GOOD = {
  OIDC_ISSUER: 'https://id.example.com',
  OIDC_CLIENT_ID: 'navigator',
  OIDC_REDIRECT_URI: 'https://navigator.example.com/v1/auth/oidc/callback',
};
const configOf = (environment: Record<string, string>) => loadConfig({ oidc: oidcSection }, environment).oidc;

describe('OidcProvider', () => {
  let asked: number;
  let down: boolean;
  let now: number;
  let issuer: string;
  const policy = {
    // Answers in the place of the provider, so that nothing leaves this machine.
    execute<T>(): Promise<T> {
      asked++;
      if (down) return Promise.reject(new DependencyUnavailable('oidc'));
      const body = {
        issuer,
        authorization_endpoint: `${GOOD.OIDC_ISSUER}/auth`,
        token_endpoint: `${GOOD.OIDC_ISSUER}/token`,
        jwks_uri: `${GOOD.OIDC_ISSUER}/keys`,
      };
      return Promise.resolve(Response.json(body) as T);
    },
  };
  const provider = () => new OidcProvider(configOf(GOOD), policy, () => now);

  beforeEach(() => {
    asked = 0;
    down = false;
    now = 0;
    issuer = GOOD.OIDC_ISSUER;
  });

  it.each([
    ['without a client', { OIDC_ISSUER: GOOD.OIDC_ISSUER }],
    ['without TLS on another machine', { ...GOOD, OIDC_ISSUER: 'http://id.example.com' }],
    ['that lets everybody make an account', { ...GOOD, OIDC_CREATE_USERS: 'true' }],
  ])('refuses settings %s', (_, environment) => {
    expect(() => new OidcProvider(configOf(environment), policy)).toThrow(/^OIDC_/);
  });

  it('is not there unless it is configured', async () => {
    await expect(new OidcProvider(configOf({}), policy).begin()).rejects.toThrow(SsoNotConfigured);
    expect(asked).toBe(0);
  });

  it('takes nothing from a provider that says that it is another one', async () => {
    for (issuer of ['https://other.example', 'https://id.example.com/realm', 'http://id.example.com'])
      await expect(provider().begin()).rejects.toMatchObject({ code: 'sso-refused' });
  });

  it('asks what the provider is once for all who come together, and again after an hour', async () => {
    const one = provider();
    const begun = await Promise.all(Array.from({ length: 10 }, () => one.begin()));
    expect(asked).toBe(1);
    expect(new Set(begun.map(({ state }) => state.state)).size).toBe(10);
    now += 3_600_000;
    await one.begin();
    expect(asked).toBe(2);
  });

  it('says that the provider is down, remembers nothing of that, and asks again', async () => {
    const one = provider();
    down = true;
    const refusals = await Promise.allSettled([one.begin(), one.begin()]);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'dependency-unavailable' } });
    down = false;
    await expect(one.begin()).resolves.toBeDefined();
  });

  it('goes on with what it knew while the provider does not answer, and asks again a minute later', async () => {
    const one = provider();
    await one.begin();
    down = true;
    now += 3_600_000;
    for (let i = 0; i < 3; i++) await expect(one.begin()).resolves.toBeDefined();
    expect(asked).toBe(2);
    now += 60_000;
    await expect(one.begin()).resolves.toBeDefined();
    expect(asked).toBe(3);
  });
});
