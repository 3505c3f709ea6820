import { loadConfig } from '#libs/config';
import { domainsIn, oidcSection, roleMeant } from './oidc.config.js';

const load = (environment: Record<string, string>) => loadConfig({ oidc: oidcSection }, environment).oidc;

describe('the settings of single sign-on', () => {
  it('are off unless a provider is named, and make no accounts unless told', () => {
    expect(load({})).toMatchObject({ createUsers: false, defaultRole: 'member', tenant: 'default' });
    expect(load({}).issuer).toBeUndefined();
  });

  it.each([
    { OIDC_ISSUER: 'file:///etc/passwd' },
    { OIDC_DEFAULT_ROLE: 'operator' },
    { OIDC_ROLE_MAP: 'staff=operator' },
    { OIDC_ROLE_MAP: 'staff' },
    { OIDC_ROLE_MAP: '=admin' },
    { OIDC_CREATE_USERS: 'perhaps' },
    { OIDC_TIMEOUT_MS: '0' },
  ])('refuse %j', (environment) => {
    expect(() => load(environment as unknown as Record<string, string>)).toThrow();
  });

  it('map values to roles, of which the highest counts', () => {
    const map = 'staff=member, leads = manager, cn=it,dc=x=admin';
    expect(roleMeant('staff=member, leads=manager', ['leads', 'staff'])).toBe('manager');
    expect(roleMeant('a=admin, b=member', ['b', 'a', 'c'])).toBe('admin');
    expect(roleMeant(map, ['dc=x'])).toBe('admin');
    expect(roleMeant(map, ['unknown'])).toBeUndefined();
    expect(roleMeant('', ['staff'])).toBeUndefined();
  });

  it('list domains in lower case', () => {
    expect(domainsIn(' Example.com ,, b.example ')).toEqual(['example.com', 'b.example']);
  });
});
