import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Permission, Principal } from './principal.js';

const PUBLIC = Symbol('public route');
const PERMISSION = Symbol('required permission');
const PRINCIPAL = Symbol('principal of the request');

/** The route asks for no credential. */
export const Public = () => SetMetadata(PUBLIC, true);

/** The route is for those whose role has this permission. On a class it holds for all its routes. */
export const RequirePermission = (permission: Permission) => SetMetadata(PERMISSION, permission);

/** The verified caller; only on routes that are not `@Public`. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (!principal) throw new Error('A public route has no principal');
  return principal;
});

export interface AccessRule {
  isPublic: boolean;
  permission?: Permission;
}

/** What a route declares; its own declaration goes before its class's. */
export function accessRuleOf(controller: object, handler: object): AccessRule {
  for (const target of [handler, controller]) {
    const isPublic = Reflect.getMetadata(PUBLIC, target) === true;
    const permission = Reflect.getMetadata(PERMISSION, target) as Permission | undefined;
    if (isPublic || permission) return { isPublic, permission };
  }
  return { isPublic: false };
}

export function setPrincipal(request: object, principal: Principal): void {
  (request as Record<symbol, unknown>)[PRINCIPAL] = principal;
}

export function principalOf(request: object): Principal | undefined {
  return (request as Record<symbol, unknown>)[PRINCIPAL] as Principal | undefined;
}
