export { AuthGuard } from './auth.guard.js';
export { PermissionGuard } from './permission.guard.js';
export { CredentialVerifier } from './credential-verifier.js';
export { accessRuleOf, CurrentPrincipal, Public, RequirePermission } from './declarations.js';
export { assertEveryRouteDeclares, listRoutes, UndeclaredRoutes, type Route } from './route-declarations.js';
export {
  PERMISSIONS,
  permissionsOf,
  roleAllows,
  ROLES,
  type Permission,
  type Principal,
  type Role,
} from './principal.js';
export {
  ApiKeyInvalid,
  AuthenticationFailed,
  Forbidden,
  SessionEnded,
  SessionRequired,
  TokenExpired,
  TokenInvalid,
  Unauthenticated,
} from './auth.errors.js';
export { AccessTokens, type AccessTokenSettings } from './tokens/access-tokens.js';
export { TokenKeys, TokenKeysUnusable } from './tokens/token-keys.js';
