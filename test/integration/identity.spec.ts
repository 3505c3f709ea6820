import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog, AuditSpool } from '#libs/audit';
import { AccessTokens, type Principal, TokenKeys } from '#libs/auth';
import { PolicyRegistry } from '#libs/resilience';
import { ApiKeysService } from '../../apps/api/src/auth/api-keys/api-keys.service.js';
import { BootstrapService } from '../../apps/api/src/auth/bootstrap.service.js';
import { LoginService } from '../../apps/api/src/auth/passwords/login.service.js';
import { LoginThrottle } from '../../apps/api/src/auth/passwords/login-throttle.js';
import { PasswordHasher } from '../../apps/api/src/auth/passwords/password-hasher.js';
import { SessionService } from '../../apps/api/src/auth/sessions/session.service.js';
import { VerifiedCredentials } from '../../apps/api/src/auth/verified-credentials.js';
import { tenantIdOf, TenantsService } from '../../apps/api/src/tenants/index.js';
import { until } from '../support/faulty-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const QUICK_HASH = { memoryKib: 7_168, passes: 1, parallelism: 1 };
const PASSWORD = 'correct horse battery staple';
const client = { address: '192.0.2.7', userAgent: 'test/1' };
const thief = { address: '198.51.100.9', userAgent: 'thief/1' };
const sessionSettings = {
  accessTokenSeconds: 600,
  refreshIdleDays: 14,
  refreshAbsoluteDays: 30,
  refreshGraceSeconds: 10,
};

describe('identity on a real database', () => {
  let db: TestDatabase;
  let folder: string;
  let tenants: TenantsService;
  let hasher: PasswordHasher;
  let tokens: AccessTokens;
  let verified: VerifiedCredentials;
  let sessions: SessionService;
  let logins: LoginService;
  let keys: ApiKeysService;

  beforeAll(async () => {
    db = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'identity-'));
    const settings = { issuer: 'test', audience: 'test', lifetimeSeconds: 600 };
    tokens = new AccessTokens(await TokenKeys.loadOrCreate(folder), settings);
    hasher = await PasswordHasher.create(QUICK_HASH, {
      execute: (work) => work(new AbortController().signal),
    });
    tenants = new TenantsService(db.tenantDb);
    verified = new VerifiedCredentials();
    sessions = new SessionService(db.tenantDb, tenants, tokens, verified, sessionSettings);
    logins = new LoginService(
      tenants,
      hasher,
      new LoginThrottle({ perAccount: 100, perNetwork: 1_000 }),
      sessions,
    );
    keys = new ApiKeysService(db.tenantDb, tenants, verified);
  });
  afterAll(async () => {
    await db?.close();
    await rm(folder, { recursive: true, force: true });
  });

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
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'accepted',
      (error: { code?: string }) => error.code ?? String(error),
    );
  const oneRow = async <T>(sql: string, values: unknown[]) =>
    (await db.owner.query(sql, values)).rows[0] as T;

  describe('login', () => {
    it('opens a session of the user, whatever the case of his address', async () => {
      const { email, tenantId, userId } = await userWithSession();
      const opened = await logins.login(email.toUpperCase(), PASSWORD, client);
      const { principal } = await sessions.verify(opened.accessToken);
      expect(principal).toMatchObject({ tenantId, userId, role: 'admin', via: 'session' });
      expect(opened.expiresInSeconds).toBe(600);
      expect(opened.refreshExpiresInSeconds).toBeGreaterThan(14 * 86_400 - 60);
    });

    it('says the same about a wrong password, an unknown address and a disabled account', async () => {
      const { email, userId } = await userWithSession();
      expect(await code(logins.login(email, `${PASSWORD} `, client))).toBe('invalid-credentials');
      expect(await code(logins.login('nobody@example.com', PASSWORD, client))).toBe('invalid-credentials');
      await db.owner.query('update app_user set disabled_at = now() where id = $1', [userId]);
      expect(await code(logins.login(email, PASSWORD, client))).toBe('invalid-credentials');
    });

    it('renews the hash when its parameters have changed', async () => {
      const { email, userId } = await userWithSession();
      const stronger = await PasswordHasher.create(
        { ...QUICK_HASH, passes: 2 },
        { execute: (work) => work(new AbortController().signal) },
      );
      const later = new LoginService(
        tenants,
        stronger,
        new LoginThrottle({ perAccount: 5, perNetwork: 5 }),
        sessions,
      );
      await later.login(email, PASSWORD, client);
      const { password_hash } = await oneRow<{ password_hash: string }>(
        'select password_hash from app_user where id = $1',
        [userId],
      );
      expect(password_hash).toContain('m=7168,t=2,p=1');
      expect(await code(later.login(email, PASSWORD, client))).toBe('accepted');
    });

    it('throttles an account from one network and nobody else', async () => {
      const { email } = await userWithSession();
      const strict = new LoginService(
        tenants,
        hasher,
        new LoginThrottle({ perAccount: 3, perNetwork: 50 }),
        sessions,
      );
      for (let i = 0; i < 3; i++)
        expect(await code(strict.login(email, 'wrong', thief))).toBe('invalid-credentials');
      expect(await code(strict.login(email, PASSWORD, thief))).toBe('too-many-logins');
      expect(await code(strict.login(email, PASSWORD, client))).toBe('accepted');
    });

    it('removes the sessions of the user that have expired', async () => {
      const { email, principal } = await userWithSession();
      await db.owner.query(`update session set expires_at = now() - interval '1 second' where id = $1`, [
        principal.credentialId,
      ]);
      await logins.login(email, PASSWORD, client);
      expect(await oneRow('select from session where id = $1', [principal.credentialId])).toBeUndefined();
    });
  });

  describe('refresh', () => {
    it('gives a new access token and the next refresh token, each of which works once', async () => {
      const { opened, principal } = await userWithSession();
      const second = await sessions.refresh(opened.refreshToken, client);
      const third = await sessions.refresh(second.refreshToken, client);
      expect(new Set([opened.refreshToken, second.refreshToken, third.refreshToken]).size).toBe(3);
      expect((await sessions.verify(third.accessToken)).principal).toEqual(principal);
    });

    it('stores no token, only digests', async () => {
      const { opened, principal } = await userWithSession();
      const next = await sessions.refresh(opened.refreshToken, client);
      const { rows } = await db.owner.query('select * from refresh_token where session_id = $1', [
        principal.credentialId,
      ]);
      expect(rows).toHaveLength(2);
      for (const token of [opened.refreshToken, next.refreshToken])
        expect(JSON.stringify(rows)).not.toContain(token);
    });

    it('makes exactly one successor of fifty refreshes at once', async () => {
      const { opened, principal } = await userWithSession();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => sessions.refresh(opened.refreshToken, client)),
      );
      expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
      const { count } = await oneRow<{ count: number }>(
        'select count(*)::int as count from refresh_token where session_id = $1',
        [principal.credentialId],
      );
      expect(count).toBe(2);
      expect(await code(sessions.refresh(answers[0]!.refreshToken, client))).toBe('accepted');
    });

    it('ends the session when fifty refreshes at once come from two clients, and makes no second successor', async () => {
      const { opened, principal } = await userWithSession();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          sessions.refresh(opened.refreshToken, i % 2 ? client : thief).then(
            (tokens) => tokens.refreshToken,
            () => undefined,
          ),
        ),
      );
      expect(new Set(answers.filter(Boolean)).size).toBe(1);
      const { revoked_reason } = await oneRow<{ revoked_reason: string }>(
        'select revoked_reason from session where id = $1',
        [principal.credentialId],
      );
      expect(revoked_reason).toBe('refresh-token-reused');
    });

    it('ends the session when a used token comes from another client, even at once', async () => {
      const { opened } = await userWithSession();
      const next = await sessions.refresh(opened.refreshToken, client);
      expect(await code(sessions.refresh(opened.refreshToken, thief))).toBe('refresh-token-reused');
      expect(await code(sessions.refresh(next.refreshToken, client))).toBe('refresh-token-invalid');
      expect(await code(sessions.verify(next.accessToken))).toBe('session-ended');
    });

    it('ends the session when a used token comes back after its successor was used, even from the same client', async () => {
      const { opened } = await userWithSession();
      const second = await sessions.refresh(opened.refreshToken, client);
      const third = await sessions.refresh(second.refreshToken, client);
      expect(await code(sessions.refresh(opened.refreshToken, client))).toBe('refresh-token-reused');
      expect(await code(sessions.refresh(third.refreshToken, client))).toBe('refresh-token-invalid');
    });

    it('ends the session when a used token comes back after the grace period', async () => {
      const { opened, principal } = await userWithSession();
      const next = await sessions.refresh(opened.refreshToken, client);
      await db.owner.query(
        `update refresh_token set used_at = used_at - interval '11 seconds'
         where session_id = $1 and used_at is not null`,
        [principal.credentialId],
      );
      expect(await code(sessions.refresh(opened.refreshToken, client))).toBe('refresh-token-reused');
      expect(await code(sessions.refresh(next.refreshToken, client))).toBe('refresh-token-invalid');
    });

    it('knows no grace where it is switched off', async () => {
      const { opened } = await userWithSession();
      const strict = new SessionService(db.tenantDb, tenants, tokens, verified, {
        ...sessionSettings,
        refreshGraceSeconds: 0,
      });
      await strict.refresh(opened.refreshToken, client);
      expect(await code(strict.refresh(opened.refreshToken, client))).toBe('refresh-token-reused');
    });

    it('refuses a token that was idle for too long, one of an ended session, and one that never was', async () => {
      const idle = await userWithSession();
      await db.owner.query(`update refresh_token set expires_at = now() where session_id = $1`, [
        idle.principal.credentialId,
      ]);
      expect(await code(sessions.refresh(idle.opened.refreshToken, client))).toBe('refresh-token-invalid');

      const old = await userWithSession();
      await db.owner.query(`update session set expires_at = now() where id = $1`, [
        old.principal.credentialId,
      ]);
      expect(await code(sessions.refresh(old.opened.refreshToken, client))).toBe('refresh-token-invalid');

      expect(await code(sessions.refresh(randomUUID(), client))).toBe('refresh-token-invalid');
    });

    it('never outlives its session: idle time moves on, the end does not', async () => {
      const { opened, principal } = await userWithSession();
      await db.owner.query(`update session set expires_at = now() + interval '1 hour' where id = $1`, [
        principal.credentialId,
      ]);
      const next = await sessions.refresh(opened.refreshToken, client);
      expect(next.refreshExpiresInSeconds).toBeLessThanOrEqual(3_600);
    });

    it("carries today's role, and stops for a disabled user", async () => {
      const { opened, userId } = await userWithSession();
      await db.owner.query(`update app_user set role = 'member' where id = $1`, [userId]);
      const next = await sessions.refresh(opened.refreshToken, client);
      expect((await tokens.verify(next.accessToken)).role).toBe('member');
      expect((await sessions.verify(opened.accessToken)).principal.role).toBe('member');
      await db.owner.query(`update app_user set disabled_at = now() where id = $1`, [userId]);
      expect(await code(sessions.refresh(next.refreshToken, client))).toBe('refresh-token-invalid');
      expect(await code(sessions.verify(next.accessToken))).toBe('session-ended');
    });
  });

  describe('logout', () => {
    it('ends this session, at once in this process, and leaves the others', async () => {
      const { opened, principal, email } = await userWithSession();
      const other = await logins.login(email, PASSWORD, client);
      const check = () => verified.verify(opened.accessToken, () => sessions.verify(opened.accessToken));
      await check();
      await sessions.logout(principal, { everywhere: false });
      expect(await code(check())).toBe('session-ended');
      expect(await code(sessions.refresh(opened.refreshToken, client))).toBe('refresh-token-invalid');
      expect(await code(sessions.verify(other.accessToken))).toBe('accepted');
    });

    it('ends all sessions of the user, and nobody else’s', async () => {
      const { opened, principal, email } = await userWithSession();
      const stranger = await userWithSession();
      const other = await logins.login(email, PASSWORD, client);
      await sessions.logout(principal, { everywhere: true });
      expect(await code(sessions.verify(opened.accessToken))).toBe('session-ended');
      expect(await code(sessions.refresh(other.refreshToken, client))).toBe('refresh-token-invalid');
      expect(await code(sessions.verify(stranger.opened.accessToken))).toBe('accepted');
    });

    it('is not for API keys', async () => {
      const { principal } = await userWithSession();
      expect(await code(sessions.logout({ ...principal, via: 'api-key' }, { everywhere: true }))).toBe(
        'session-required',
      );
    });
  });

  describe('API keys', () => {
    it('act as their user, with his role of the moment', async () => {
      const { principal, tenantId, userId } = await userWithSession();
      const created = await keys.create(principal, 'reporting', 30);
      const { principal: acting, expiresAt } = await keys.verify(created.key);
      expect(acting).toEqual({ tenantId, userId, role: 'admin', via: 'api-key', credentialId: created.id });
      expect(expiresAt).toEqual(created.expiresAt);
      await db.owner.query(`update app_user set role = 'member' where id = $1`, [userId]);
      expect((await keys.verify(created.key)).principal.role).toBe('member');
    });

    it('are stored as a digest and listed without the key', async () => {
      const { principal } = await userWithSession();
      const { key, id } = await keys.create(principal, 'reporting', 30);
      const secret = key.split('_')[2]!;
      expect(JSON.stringify(await oneRow('select * from api_key where id = $1', [id]))).not.toContain(secret);
      const [listed] = await keys.list(principal, { limit: 10 });
      expect(listed).toMatchObject({ id, name: 'reporting', lastUsedAt: null });
      expect(JSON.stringify(listed)).not.toContain(secret);
    });

    it('are listed page by page, the newest first, to their user only', async () => {
      const { principal, tenantId } = await userWithSession();
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift((await keys.create(principal, `key ${i}`, 1)).id);
      // Ids made within one millisecond are in no order of their own.
      const sorted = ids.toSorted().reverse();
      const first = await keys.list(principal, { limit: 3 });
      const second = await keys.list(principal, { limit: 3, beforeId: first.at(-1)!.id });
      expect([...first, ...second].map((key) => key.id)).toEqual(sorted);
      const colleague: Principal = { ...principal, userId: randomUUID() };
      expect(await keys.list(colleague, { limit: 10 })).toEqual([]);
      expect(await keys.list({ ...principal, tenantId: randomUUID() }, { limit: 10 })).toEqual([]);
      expect(tenantId).toBe(principal.tenantId);
    });

    it.each([
      ['revoked', `update api_key set revoked_at = now() where id = $1`],
      ['expired', `update api_key set expires_at = now() where id = $1`],
      [
        'of a disabled user',
        `update app_user set disabled_at = now() where id = (select user_id from api_key where id = $1)`,
      ],
    ])('are refused when %s', async (_, sql) => {
      const { principal } = await userWithSession();
      const { key, id } = await keys.create(principal, 'k', 1);
      await db.owner.query(sql, [id]);
      expect(await code(keys.verify(key))).toBe('api-key-invalid');
    });

    it('are refused with another secret, another id or a wrong checksum', async () => {
      const { principal } = await userWithSession();
      const one = await keys.create(principal, 'one', 1);
      expect(await code(keys.verify(one.key.slice(0, -1)))).toBe('api-key-invalid');
      expect(await code(keys.verify(`${one.key.slice(0, -1)}~`))).toBe('api-key-invalid');
      const { newApiKey, formatApiKey, parseApiKey } =
        await import('../../apps/api/src/auth/api-keys/api-key.js');
      const { publicId } = parseApiKey(one.key)!;
      expect(await code(keys.verify(formatApiKey({ ...newApiKey(), publicId })))).toBe('api-key-invalid');
      expect(await code(keys.verify(formatApiKey(newApiKey())))).toBe('api-key-invalid');
    });

    it('end by revoking, at once in this process and as often as one likes', async () => {
      const { principal } = await userWithSession();
      const { key, id } = await keys.create(principal, 'k', 1);
      const check = () => verified.verify(key, () => keys.verify(key));
      await check();
      await keys.revoke(principal, id);
      await keys.revoke(principal, id);
      await keys.revoke(principal, randomUUID());
      expect(await code(check())).toBe('api-key-invalid');
      expect(await keys.list(principal, { limit: 10 })).toEqual([]);
    });

    it('cannot be revoked by somebody else', async () => {
      const { principal } = await userWithSession();
      const stranger = await userWithSession();
      const { key, id } = await keys.create(principal, 'k', 1);
      await keys.revoke(stranger.principal, id);
      await keys.revoke({ ...stranger.principal, userId: principal.userId }, id);
      expect(await code(keys.verify(key))).toBe('accepted');
    });

    it('remember when they were last used, once a minute', async () => {
      const { principal } = await userWithSession();
      const { key, id } = await keys.create(principal, 'k', 1);
      const lastUsed = async () =>
        (await oneRow<{ last_used_at: Date | null }>('select last_used_at from api_key where id = $1', [id]))
          .last_used_at;
      await keys.verify(key);
      await until(async () => (await lastUsed()) !== null);
      const first = (await lastUsed())!;
      await keys.verify(key);
      await db.owner.query(`update api_key set last_used_at = now() - interval '61 seconds' where id = $1`, [
        id,
      ]);
      await keys.verify(key);
      await until(async () => (await lastUsed())! >= first);
    });

    it('cannot make or revoke keys themselves', async () => {
      const { principal } = await userWithSession();
      const program: Principal = { ...principal, via: 'api-key' };
      expect(await code(keys.create(program, 'k', 1))).toBe('session-required');
      expect(await code(keys.revoke(program, randomUUID()))).toBe('session-required');
    });

    const fillWithKeys = (tenantId: string, userId: string, count: number, expiresIn: string) =>
      db.owner.query(
        `insert into api_key (tenant_id, id, user_id, public_id, secret_hash, name, expires_at)
         select $1, gen_random_uuid(), $2, substr(md5(random()::text), 1, 12), repeat('0', 64), 'filler',
           now() + $4::interval
         from generate_series(1, $3)`,
        [tenantId, userId, count, expiresIn],
      );

    it('do not count any more once they have ended', async () => {
      const { principal, tenantId, userId } = await userWithSession();
      await fillWithKeys(tenantId, userId, 100, '-1 second');
      expect(await code(keys.create(principal, 'k', 1))).toBe('accepted');
    });

    it('are limited in number, also when many are made at once', async () => {
      const { principal, tenantId, userId } = await userWithSession();
      await fillWithKeys(tenantId, userId, 95, '1 day');
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => code(keys.create(principal, 'k', 1))),
      );
      expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(5);
      expect(outcomes.filter((outcome) => outcome === 'too-many-api-keys')).toHaveLength(5);
    });
  });

  describe('the rows behind it', () => {
    it('show a credential only its own row, and nothing without one', async () => {
      const one = await userWithSession();
      await userWithSession();
      const { key } = await keys.create(one.principal, 'k', 1);
      const publicId = key.split('_')[1]!;
      const count = async (table: string, identifier: string) =>
        (
          await db.tenantDb.findByCredential(identifier, (tx) =>
            tx.query<{ count: number }[]>(`select count(*)::int as count from ${table}`),
          )
        )[0]!.count;
      expect(await count('api_key', publicId)).toBe(1);
      expect(await count('app_user', one.email)).toBe(1);
      for (const table of ['api_key', 'app_user', 'refresh_token', 'session'])
        expect(await count(table, 'nobody')).toBe(0);
    });

    it('cannot be changed by somebody who has only a credential', async () => {
      const { principal } = await userWithSession();
      const { key, id } = await keys.create(principal, 'k', 1);
      const change = db.tenantDb.findByCredential(key.split('_')[1]!, (tx) =>
        tx.query(`update api_key set expires_at = now() + interval '100 years'`),
      );
      await expect(change).rejects.toThrow(/read-only transaction/);
      const { far } = await oneRow<{ far: boolean }>(
        `select expires_at > now() + interval '1 year' as far from api_key where id = $1`,
        [id],
      );
      expect(far).toBe(false);
    });
  });

  describe('the first start', () => {
    it('makes one tenant and one administrator, however many replicas start at once', async () => {
      const fresh = await testDatabase();
      try {
        const replicas = Array.from({ length: 8 }, () => bootstrapOf(fresh, { adminRole: 'admin' }));
        const results = await Promise.all(replicas.map((replica) => replica.bootstrap()));
        const credentials = results.filter((result) => result !== undefined);
        expect(credentials).toHaveLength(1);
        expect(credentials[0]).toMatchObject({ email: 'admin@example.com', generated: true });
        expect(credentials[0]!.password).toHaveLength(24);

        const users = await fresh.owner.query('select email, role, password_hash from app_user');
        expect(users.rows).toMatchObject([{ email: 'admin@example.com', role: 'admin' }]);
        expect(await hasher.matches(users.rows[0].password_hash, credentials[0]!.password)).toBe(true);
        expect((await fresh.owner.query('select tenant_id, name from tenant')).rows).toEqual([
          { tenant_id: tenantIdOf('default'), name: 'default' },
        ]);
        expect((await fresh.owner.query('select action, actor_type, outcome from audit_event')).rows).toEqual(
          [{ action: 'tenant.bootstrap', actor_type: 'system', outcome: 'success' }],
        );
        expect(await bootstrapOf(fresh, {}).bootstrap()).toBeUndefined();
      } finally {
        await fresh.close();
      }
    });

    it('takes the credentials it is given, and refuses an easy password before it makes anything', async () => {
      const fresh = await testDatabase();
      try {
        const easy = bootstrapOf(fresh, { adminPassword: 'Password123' }).bootstrap();
        expect(await code(easy)).toBe('password-refused');
        expect((await fresh.owner.query('select from tenant')).rows).toEqual([]);
        const given = {
          adminEmail: 'Boss@Example.com',
          adminPassword: PASSWORD,
          adminRole: 'operator',
        } as const;
        const credentials = await bootstrapOf(fresh, given).bootstrap();
        expect(credentials).toEqual({ email: 'Boss@Example.com', password: PASSWORD, generated: false });
        expect((await fresh.owner.query('select email, role from app_user')).rows).toEqual([
          { email: 'boss@example.com', role: 'operator' },
        ]);
      } finally {
        await fresh.close();
      }
    });

    function bootstrapOf(database: TestDatabase, config: object) {
      return new BootstrapService(
        database.tenantDb,
        new TenantsService(database.tenantDb),
        hasher,
        new AuditLog(database.tenantDb, new AuditSpool(join(folder, 'audit-spool'))),
        { adminEmail: 'admin@example.com', adminRole: 'admin', ...config },
      );
    }
  });

  it('lets two hashes run at once and twenty wait; the others are told to come back', async () => {
    const policy = new PolicyRegistry().define('hashing-test', {
      attemptTimeoutMs: 60_000,
      bulkhead: { concurrency: 2, queue: 20, tenantShare: 1, tenantQueue: 20, maxWaitMs: 60_000 },
    });
    const limited = await PasswordHasher.create(QUICK_HASH, policy);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => code(limited.hash(PASSWORD))));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(22);
    expect(outcomes.filter((outcome) => outcome === 'login-busy')).toHaveLength(18);
  });
});
