import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { auditedActOf, AuditLog } from '#libs/audit';
import { Forbidden } from './auth.errors.js';
import { accessRuleOf, principalOf } from './declarations.js';
import { principalAllows, roleAllows } from './principal.js';

/** Lets through whom the route's declaration names, and nobody where there is no declaration. */
@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(private readonly audit: AuditLog) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { isPublic, permission } = accessRuleOf(context.getClass(), context.getHandler());
    if (isPublic) return true;
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if (!permission || !principal) throw new Error('A route without a declared rule was reached');
    if (principalAllows(principal, permission)) return true;

    const error = new Forbidden(permission, { isScope: roleAllows(principal.role, permission) });
    const act = auditedActOf(context.getHandler()) ?? { action: 'access', category: 'security' };
    const record = this.audit.open(act);
    record.detail = { required_permission: permission };
    await this.audit.fail(record, error);
    context
      .switchToHttp()
      .getResponse<FastifyReply>()
      .header('www-authenticate', 'Bearer realm="navigator", error="insufficient_scope"');
    throw error;
  }
}
