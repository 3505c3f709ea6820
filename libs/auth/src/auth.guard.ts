import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { auditActor, auditedActOf, AuditLog } from '#libs/audit';
import { setRevalidation } from '#libs/http';
import { currentContext } from '#libs/observability';
import { AuthenticationFailed, CredentialMalformed, Forbidden, Unauthenticated } from './auth.errors.js';
import { CredentialVerifier } from './credential-verifier.js';
import { accessRuleOf, setPrincipal } from './declarations.js';
import { type Permission, type Principal, principalAllows } from './principal.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** Finds out who is asking, from `Authorization: Bearer <access token or API key>`. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly audit: AuditLog,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { isPublic, permission } = accessRuleOf(context.getClass(), context.getHandler());
    if (isPublic) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    try {
      const credential = bearerOf(request.headers.authorization);
      identify(request, await this.verifier.verify(credential, request.ip));
      setRevalidation(() => this.revalidate(credential, request.ip, permission));
      return true;
    } catch (error) {
      if (error instanceof AuthenticationFailed) await this.refuse(context, error);
      throw error;
    }
  }

  /** @throws AuthenticationFailed, Forbidden, and what says that nobody knows */
  private async revalidate(credential: string, address: string, permission?: Permission): Promise<void> {
    const principal = await this.verifier.verify(credential, address);
    if (permission && !principalAllows(principal, permission)) throw new Forbidden(permission);
  }

  /** A refused credential is recorded; its absence and its expiry are not, or every page load would be. */
  private async refuse(context: ExecutionContext, error: AuthenticationFailed): Promise<void> {
    context.switchToHttp().getResponse<FastifyReply>().header('www-authenticate', challengeOf(error));
    if (!error.suspicious) return;
    if (error.owner) auditActor(error.owner);
    const act = auditedActOf(context.getHandler()) ?? { action: 'access', category: 'security' };
    await this.audit.fail(this.audit.open(act), error);
  }
}

/** What stands behind `Bearer`. @throws Unauthenticated, CredentialMalformed */
export function bearerOf(header: string | undefined): string {
  if (!header) throw new Unauthenticated();
  const credential = BEARER.exec(header)?.[1];
  if (!credential) throw new CredentialMalformed();
  return credential;
}

function identify(request: FastifyRequest, principal: Principal): void {
  setPrincipal(request, principal);
  const { tenantId, userId, role, via, credentialId, quotaFactor } = principal;
  Object.assign(currentContext() ?? {}, { tenantId, userId, credentialId, quotaFactor });
  auditActor({ type: via === 'session' ? 'user' : 'api-key', tenantId, id: userId, role, credentialId });
}

/** RFC 6750: without a credential the scheme alone, otherwise what was wrong with it. */
function challengeOf(error: AuthenticationFailed): string {
  if (error instanceof Unauthenticated) return 'Bearer realm="navigator"';
  return `Bearer realm="navigator", error="invalid_token", error_description="${error.message}"`;
}
