import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuditLog, AuditSpool } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { PolicyRegistry } from '#libs/resilience';
import { BootstrapService } from '../../apps/api/src/auth/bootstrap.service.js';
import { FirstPassword } from '../../apps/api/src/auth/passwords/first-password.js';
import { PasswordHasher } from '../../apps/api/src/auth/passwords/password-hasher.js';
import { tenantIdOf, TenantsService } from '../../apps/api/src/tenants/index.js';
import { personalData } from '../support/audit-world.js';
import { until } from '../support/faulty-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { code, identityWorld, type IdentityWorld, PASSWORD, QUICK_HASH } from '../support/identity-world.js';

describe('identity on a real database', () => {
  let world: IdentityWorld;
  let db: IdentityWorld['db'];
  let folder: IdentityWorld['folder'];
  let verified: IdentityWorld['verified'];
  let hasher: IdentityWorld['hasher'];
  let keys: IdentityWorld['keys'];
  let userWithSession: IdentityWorld['userWithSession'];
  let oneRow: IdentityWorld['oneRow'];
  beforeAll(async () => {
    world = await identityWorld();
    ({ db, folder, verified, hasher, keys, userWithSession, oneRow } = world);
  });
  afterAll(() => world?.close());

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

    it('leaves a password that was made up in a file, from before the account until it is changed', async () => {
      const fresh = await testDatabase();
      try {
        const file = FirstPassword.in(join(folder, fresh.url.split('/').at(-1)!));
        await fresh.owner.query('alter table audit_event add constraint broken check (false) not valid');
        await expect(bootstrapOf(fresh, {}).bootstrap()).rejects.toThrow();
        expect((await fresh.owner.query('select from app_user')).rows).toEqual([]);
        const password = await file.read();
        expect(password).toHaveLength(24);

        await fresh.owner.query('alter table audit_event drop constraint broken');
        const credentials = await bootstrapOf(fresh, {}).bootstrap();
        expect(credentials).toMatchObject({ password, generated: true, file: file.path });
        await bootstrapOf(fresh, {}).bootstrap();
        expect(await file.read()).toBe(password);

        const other = await hasher.hash('one that he has chosen');
        await fresh.owner.query('update app_user set password_hash = $1', [other]);
        await bootstrapOf(fresh, {}).bootstrap();
        expect(await file.read()).toBeUndefined();
      } finally {
        await fresh.close();
      }
    });

    function bootstrapOf(database: TestDatabase, config: object) {
      return new BootstrapService(
        database.tenantDb,
        new TenantsService(database.tenantDb),
        hasher,
        new AuditLog(database.tenantDb, new AuditSpool(join(folder, 'audit-spool')), personalData()),
        FirstPassword.in(join(folder, database.url.split('/').at(-1)!)),
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
