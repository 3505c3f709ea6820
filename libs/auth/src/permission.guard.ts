import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { auditedActOf, AuditLog } from '#libs/audit';
import { Forbidden, SecondFactorEnrolmentRequired } from './auth.errors.js';
import { accessRuleOf, principalOf } from './declarations.js';
import { type Permission, type Principal, principalAllows, roleAllows } from './principal.js';
import { isBeforeSecondFactor } from './second-factor.js';

/** Lets through whom the route's declaration names, and nobody where there is no declaration. */
@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(private readonly audit: AuditLog) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { isPublic, permission } = accessRuleOf(context.getClass(), context.getHandler());
    if (isPublic) return true;
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if (!permission || !principal) throw new Error('A route without a declared rule was reached');
    const error = refusalOf(principal, permission, context.getHandler());
    if (!error) return true;

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

function refusalOf(
  principal: Principal,
  permission: Permission,
  handler: object,
): Forbidden | SecondFactorEnrolmentRequired | undefined {
  const { role, enrolAt } = principal;
  if (enrolAt && !isBeforeSecondFactor(handler)) return new SecondFactorEnrolmentRequired(enrolAt);
  if (principalAllows(principal, permission)) return undefined;
  return new Forbidden(permission, { isScope: roleAllows(role, permission) });
}
