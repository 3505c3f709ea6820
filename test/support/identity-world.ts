import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessTokens, newTokenKey, TokenKeys } from '#libs/auth';
import { ApiKeysService } from '../../apps/api/src/auth/api-keys/api-keys.service.js';
import { LoginService } from '../../apps/api/src/auth/passwords/login.service.js';
import { LoginThrottle } from '../../apps/api/src/auth/passwords/login-throttle.js';
import { PasswordHasher } from '../../apps/api/src/auth/passwords/password-hasher.js';
import { SessionService } from '../../apps/api/src/auth/sessions/session.service.js';
import { VerifiedCredentials } from '../../apps/api/src/auth/verified-credentials.js';
import { TenantsService } from '../../apps/api/src/tenants/index.js';
import { testDatabase } from './test-database.js';

export const QUICK_HASH = { memoryKib: 7_168, passes: 1, parallelism: 1 };
export const PASSWORD = 'correct horse battery staple';
export const client = { address: '192.0.2.7', userAgent: 'test/1' };
export const thief = { address: '198.51.100.9', userAgent: 'thief/1' };
export const sessionSettings = {
  accessTokenSeconds: 600,
  refreshIdleDays: 14,
  refreshAbsoluteDays: 30,
  refreshGraceSeconds: 10,
};

/** Of people who have not turned on two-step login. */
export const withoutSecondStep = { demand: () => Promise.resolve() };

/** The services of logins, sessions and API keys on a database of their own. */
export async function identityWorld() {
  const db = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'identity-'));
  const settings = { issuer: 'test', audience: 'test', lifetimeSeconds: 600 };
  const tokens = new AccessTokens(await TokenKeys.of(await newTokenKey()), settings);
  const hasher = await PasswordHasher.create(QUICK_HASH, {
    execute: (work) => work(new AbortController().signal),
  });
  const tenants = new TenantsService(db.tenantDb);
  const verified = new VerifiedCredentials();
  const sessions = new SessionService(db.tenantDb, tenants, tokens, verified, sessionSettings);
  const throttle = new LoginThrottle({ perAccount: 100, perNetwork: 1_000 });
  const logins = new LoginService(tenants, hasher, throttle, sessions, withoutSecondStep);
  const keys = new ApiKeysService(db.tenantDb, tenants, verified);

  /** A user with the password above, and a fresh session of his. */
  async function userWithSession() {
    const { tenantId, userId } = await db.createTenant();
    const hash = await hasher.hash(PASSWORD);
    await db.owner.query('update app_user set password_hash = $2 where id = $1', [userId, hash]);
    const email = `${userId}@example.com`;
    const opened = await logins.login(email, PASSWORD, client);
    const { principal } = await sessions.verify(opened.accessToken);
    return { tenantId, userId, email, opened, principal };
  }
  const oneRow = async <T>(sql: string, values: unknown[]) =>
    (await db.owner.query(sql, values)).rows[0] as T;
  async function close() {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    db,
    folder,
    tenants,
    tokens,
    verified,
    hasher,
    sessions,
    logins,
    keys,
    userWithSession,
    oneRow,
    close,
  };
}
export type IdentityWorld = Awaited<ReturnType<typeof identityWorld>>;

/** The code of the error that a promise is rejected with, or `accepted`. */
export const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  );
