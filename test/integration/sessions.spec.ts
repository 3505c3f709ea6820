import { randomUUID } from 'node:crypto';
import type { Principal } from '#libs/auth';
import { LoginService } from '../../apps/api/src/auth/passwords/login.service.js';
import { LoginThrottle } from '../../apps/api/src/auth/passwords/login-throttle.js';
import { PasswordHasher } from '../../apps/api/src/auth/passwords/password-hasher.js';
import { SessionService } from '../../apps/api/src/auth/sessions/session.service.js';
import {
  client,
  code,
  identityWorld,
  type IdentityWorld,
  PASSWORD,
  QUICK_HASH,
  sessionSettings,
  thief,
  withoutSecondStep,
} from '../support/identity-world.js';

describe('sessions on a real database', () => {
  let world: IdentityWorld;
  let db: IdentityWorld['db'];
  let tenants: IdentityWorld['tenants'];
  let tokens: IdentityWorld['tokens'];
  let verified: IdentityWorld['verified'];
  let hasher: IdentityWorld['hasher'];
  let sessions: IdentityWorld['sessions'];
  let logins: IdentityWorld['logins'];
  let userWithSession: IdentityWorld['userWithSession'];
  let oneRow: IdentityWorld['oneRow'];
  beforeAll(async () => {
    world = await identityWorld();
    ({ db, tenants, tokens, verified, hasher, sessions, logins, userWithSession, oneRow } = world);
  });
  afterAll(() => world?.close());

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
        withoutSecondStep,
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
        withoutSecondStep,
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

    it('makes exactly one successor of fifty refreshes at once that five replicas answer', async () => {
      const { opened, principal } = await userWithSession();
      const replicas = Array.from(
        { length: 5 },
        () => new SessionService(db.tenantDb, tenants, tokens, verified, sessionSettings),
      );
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => replicas[i % 5]!.refresh(opened.refreshToken, client)),
      );
      expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
      const { used, unused } = await oneRow<{ used: number; unused: number }>(
        `select count(used_at)::int as used, count(*)::int - count(used_at)::int as unused
         from refresh_token where session_id = $1`,
        [principal.credentialId],
      );
      expect({ used, unused }).toEqual({ used: 1, unused: 1 });
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

  describe('the list of sessions', () => {
    const ids = async (principal: Principal, page: { beforeId?: string; limit?: number } = {}) =>
      (await sessions.list(principal, { limit: 10, ...page })).map(({ id }) => id);
    const idOf = async ({ accessToken }: { accessToken: string }) =>
      (await sessions.verify(accessToken)).principal.credentialId;

    it('has those of the user that live, the newest first, page by page', async () => {
      const { principal, email, opened } = await userWithSession();
      await userWithSession();
      const second = await idOf(await logins.login(email, PASSWORD, client));
      const third = await idOf(await logins.login(email, PASSWORD, client));
      await sessions.refresh(opened.refreshToken, client);
      expect(await ids(principal)).toEqual([third, second, principal.credentialId]);
      expect(await ids(principal, { limit: 2 })).toEqual([third, second]);
      expect(await ids(principal, { beforeId: second })).toEqual([principal.credentialId]);

      await db.owner.query(`update refresh_token set expires_at = now() where session_id = $1`, [second]);
      expect(await ids(principal)).toEqual([third, principal.credentialId]);
    });

    it('loses one that is ended, at once in this process, and no other', async () => {
      const { principal, email, opened } = await userWithSession();
      const other = await logins.login(email, PASSWORD, client);
      const check = () => verified.verify(other.accessToken, () => sessions.verify(other.accessToken));
      await check();
      await sessions.end(principal, await idOf(other));
      expect(await code(check())).toBe('session-ended');
      expect(await code(sessions.refresh(other.refreshToken, client))).toBe('refresh-token-invalid');
      expect(await ids(principal)).toEqual([principal.credentialId]);
      expect(await code(sessions.verify(opened.accessToken))).toBe('accepted');
    });

    it('is not where somebody ends the session of another, nor where a key ends any', async () => {
      const { principal, opened } = await userWithSession();
      const stranger = await userWithSession();
      await sessions.end(stranger.principal, principal.credentialId);
      expect(await code(sessions.verify(opened.accessToken))).toBe('accepted');
      const key: Principal = { ...principal, via: 'api-key', credentialId: randomUUID() };
      expect(await code(sessions.end(key, principal.credentialId))).toBe('session-required');
    });
  });
});
