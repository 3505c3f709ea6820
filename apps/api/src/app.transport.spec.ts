import { type Environment, InvalidConfiguration, loadConfig } from '#libs/config';
import { sections } from './app.config.js';
import { assertEncrypted } from './app.transport.js';

const check = (environment: Environment) => () =>
  assertEncrypted(loadConfig(sections, environment), sections);

describe('REQUIRE_TLS', () => {
  it.each<[string, Environment]>([
    ['nothing but defaults', {}],
    [
      'what is on this machine',
      { CACHE_URL: 'redis://localhost', DATABASE_URL: 'postgres://a:b@127.0.0.1/x' },
    ],
    ['IPv6 of this machine', { CACHE_URL: 'redis://[::1]:6379' }],
    ['Redis with TLS', { CACHE_URL: 'rediss://cache.example' }],
    [
      'PostgreSQL with a checked certificate',
      { DATABASE_URL: 'postgres://a:b@db.example/x?sslmode=verify-full' },
    ],
    ['mail by STARTTLS', { MAIL_TRANSPORT: 'smtp', MAIL_SMTP_HOST: 'mail.example' }],
    ['a model by https', { OPENAI_BASE_URL: 'https://models.example/v1' }],
    ['a socket of ClamAV', { CLAMD_SOCKET: '/run/clamd' }],
  ])('allows %s', (_, environment) => {
    expect(check(environment)).not.toThrow();
  });

  it.each<[string, Environment]>([
    ['CACHE_URL', { CACHE_URL: 'redis://cache.example' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://a:b@db.example/x' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://a:b@db.example/x?sslmode=prefer' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://a:b@db.example/x?sslmode=no-verify' }],
    ['DATABASE_URL', { DATABASE_URL: 'postgres://a:b@db.example/x?sslmode=require&uselibpqcompat=true' }],
    ['OPENAI_BASE_URL', { OPENAI_BASE_URL: 'http://models.example/v1' }],
    ['OIDC_REDIRECT_URI', { OIDC_REDIRECT_URI: 'http://navigator.example/v1/auth/oidc/callback' }],
    ['BROWSER_ORIGINS', { BROWSER_ORIGINS: 'https://a.example, http://b.example' }],
    [
      'MAIL_SMTP_SECURITY',
      { MAIL_TRANSPORT: 'smtp', MAIL_SMTP_HOST: 'mail.example', MAIL_SMTP_SECURITY: 'none' },
    ],
    ['CLAMD_HOST', { CLAMD_HOST: 'scanner.example' }],
    ['CACHE_URL', { CACHE_URL: 'redis://127.0.0.1.example.com' }],
  ])('forbids %s to lead to another machine in clear', (variable, environment) => {
    let refusal: unknown;
    try {
      check(environment)();
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidConfiguration);
    const { problems, message } = refusal as InvalidConfiguration;
    expect(problems.map((problem) => problem.variable)).toEqual([variable]);
    expect(message).not.toContain('example');
  });
});
