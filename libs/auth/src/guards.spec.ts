import { randomUUID } from 'node:crypto';
import { Controller, type ExecutionContext, Get } from '@nestjs/common';
import { Audited, AuditLog, type AuditRecord } from '#libs/audit';
import { DependencyUnavailable } from '#libs/errors';
import { currentContext, newContext, runInContext } from '#libs/observability';
import {
  ApiKeyInvalid,
  CredentialMalformed,
  Forbidden,
  TokenExpired,
  TokenInvalid,
  Unauthenticated,
} from './auth.errors.js';
import { AuthGuard } from './auth.guard.js';
import { CredentialVerifier } from './credential-verifier.js';
import { principalOf, Public, RequirePermission } from './declarations.js';
import { PermissionGuard } from './permission.guard.js';
import type { Principal } from './principal.js';
import { BeforeSecondFactor } from './second-factor.js';

@Controller()
@RequirePermission('audit.read')
class Routes {
  @Get() restricted() {}
  @Get() @Public() open() {}
  @Get() @RequirePermission('account.own') everyones() {}
  @Get() @RequirePermission('account.own') @BeforeSecondFactor() enrolment() {}
  @Get() @Audited('thing.read', 'data.read') audited() {}
}
class Undeclared {
  @Get() forgotten() {}
}

class KnownCredentials extends CredentialVerifier {
  constructor(private readonly known: Record<string, Principal | Error>) {
    super();
  }
  override verify(credential: string): Promise<Principal> {
    const found = this.known[credential] ?? new TokenInvalid();
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  }
}

const member: Principal = {
  tenantId: randomUUID(),
  userId: randomUUID(),
  role: 'member',
  via: 'api-key',
  credentialId: randomUUID(),
};

describe('the guards', () => {
  let records: AuditRecord[];
  let audit: AuditLog;
  let headers: Record<string, string>;
  let request: { headers: { authorization?: string } };

  beforeEach(() => {
    records = [];
    headers = {};
    request = { headers: {} };
    audit = {
      open: AuditLog.prototype.open,
      fail: (record: AuditRecord, error: { code: string }) => {
        records.push({ ...record, reason: error.code });
        return Promise.resolve();
      },
    } as unknown as AuditLog;
  });

  const contextOf = (handler: keyof Routes) =>
    ({
      getClass: () => Routes,
      getHandler: () => Routes.prototype[handler],
      switchToHttp: () => ({
        getRequest: () => request,
        getResponse: () => ({ header: (name: string, value: string) => (headers[name] = value) }),
      }),
    }) as unknown as ExecutionContext;

  function authenticate(authorization: string | undefined, handler: keyof Routes = 'restricted') {
    request = { headers: { authorization } };
    const guard = new AuthGuard(
      new KnownCredentials({
        good: member,
        old: new TokenExpired(),
        down: new DependencyUnavailable('postgres'),
        revoked: new ApiKeyInvalid({ type: 'api-key', tenantId: member.tenantId, credentialId: 'k1' }),
      }),
      audit,
    );
    return runInContext(newContext({ requestId: 'request-1' }), async () => {
      const passed = await guard.canActivate(contextOf(handler));
      return { passed, context: currentContext() };
    });
  }

  describe('AuthGuard', () => {
    it('lets everybody through to a public route, without looking at the credential', async () => {
      expect((await authenticate('Bearer nonsense', 'open')).passed).toBe(true);
      expect(principalOf(request)).toBeUndefined();
    });

    it.each(['Bearer good', 'bearer good', 'BEARER  good'])(
      'takes the principal from "%s"',
      async (header) => {
        const { context } = await authenticate(header);
        expect(principalOf(request)).toEqual(member);
        expect(context).toMatchObject({ tenantId: member.tenantId, userId: member.userId });
      },
    );

    it.each([undefined, ''])(
      'asks for a credential when the header is %j, and records nothing',
      async (header) => {
        await expect(authenticate(header)).rejects.toThrow(Unauthenticated);
        expect(headers['www-authenticate']).toBe('Bearer realm="navigator"');
        expect(records).toEqual([]);
      },
    );

    it.each(['Bearer', 'Bearer ', 'Basic good', 'good', 'Bearer good bad', 'Bearer gööd'])(
      'refuses the header %j, and records that',
      async (header) => {
        await expect(authenticate(header)).rejects.toThrow(CredentialMalformed);
        expect(headers['www-authenticate']).toContain('error="invalid_token"');
        expect(records).toMatchObject([{ action: 'access', reason: 'credential-malformed' }]);
      },
    );

    it('records a refused credential as an anonymous attempt on the route', async () => {
      await expect(authenticate('Bearer forged', 'audited')).rejects.toThrow(TokenInvalid);
      expect(headers['www-authenticate']).toContain('error="invalid_token"');
      expect(records).toMatchObject([
        {
          action: 'thing.read',
          reason: 'token-invalid',
          actor: { type: 'anonymous' },
          requestId: 'request-1',
        },
      ]);
    });

    it("records a refused API key in its owner's log", async () => {
      await expect(authenticate('Bearer revoked')).rejects.toThrow(ApiKeyInvalid);
      expect(records).toMatchObject([
        { action: 'access', category: 'security', actor: { tenantId: member.tenantId, credentialId: 'k1' } },
      ]);
    });

    it('tells an expired token apart and does not record it', async () => {
      await expect(authenticate('Bearer old')).rejects.toThrow(TokenExpired);
      expect(headers['www-authenticate']).toContain('expired');
      expect(records).toEqual([]);
    });

    it('fails closed when the credential cannot be checked', async () => {
      await expect(authenticate('Bearer down')).rejects.toThrow(DependencyUnavailable);
      expect(headers).toEqual({});
    });
  });

  describe('PermissionGuard', () => {
    async function authorise(handler: keyof Routes, principal = member) {
      return runInContext(newContext({ requestId: 'request-1' }), async () => {
        await new AuthGuard(new KnownCredentials({ good: principal }), audit).canActivate(contextOf(handler));
        return new PermissionGuard(audit).canActivate(contextOf(handler));
      });
    }
    beforeEach(() => (request = { headers: { authorization: 'Bearer good' } }));

    it('lets through whose role has the permission, and anybody on a public route', async () => {
      expect(await authorise('everyones')).toBe(true);
      expect(await authorise('open')).toBe(true);
    });

    it('refuses and records whose role has not', async () => {
      await expect(authorise('restricted')).rejects.toThrow(Forbidden);
      expect(headers['www-authenticate']).toContain('insufficient_scope');
      expect(records).toMatchObject([
        {
          action: 'access',
          reason: 'forbidden',
          actor: { type: 'api-key', tenantId: member.tenantId, id: member.userId, role: 'member' },
          detail: { required_permission: 'audit.read' },
        },
      ]);
    });

    it('refuses who lacks a second factor all but its enrolment, whatever his role allows', async () => {
      const lacking: Principal = { ...member, role: 'operator', via: 'session', enrolAt: '/enrol' };
      expect(await authorise('enrolment', lacking)).toBe(true);
      for (const handler of ['everyones', 'restricted'] as const)
        await expect(authorise(handler, lacking)).rejects.toMatchObject({
          code: 'second-factor-enrolment-required',
          extra: { enrol_at: '/enrol' },
        });
      expect(records.map(({ reason }) => reason)).toEqual(Array(2).fill('second-factor-enrolment-required'));
    });

    it('lets nobody reach a route without a rule', async () => {
      const context = {
        ...contextOf('restricted'),
        getClass: () => Undeclared,
        getHandler: () => Undeclared.prototype.forgotten,
      } as ExecutionContext;
      await expect(new PermissionGuard(audit).canActivate(context)).rejects.toThrow(
        /without a declared rule/,
      );
    });
  });
});
