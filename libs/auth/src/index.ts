export { AuthGuard, bearerOf } from './auth.guard.js';
export { PermissionGuard } from './permission.guard.js';
export { CredentialVerifier } from './credential-verifier.js';
export { BeforeSecondFactor, isBeforeSecondFactor } from './second-factor.js';
export { accessRuleOf, CurrentPrincipal, Public, RequirePermission } from './declarations.js';
export {
  assertEveryRouteDeclares,
  auditRuleOf,
  listRoutes,
  UndeclaredRoutes,
  type Route,
} from './route-declarations.js';
export {
  PERMISSIONS,
  permissionsOf,
  principalAllows,
  outranks,
  roleAllows,
  ROLES,
  type AddressCheck,
  type Permission,
  type Principal,
  type Role,
} from './principal.js';
export {
  ApiKeyInvalid,
  ApiKeyNotFromHere,
  AuthenticationFailed,
  CredentialMalformed,
  Forbidden,
  SecondFactorEnrolmentRequired,
  SessionEnded,
  SessionRequired,
  TokenExpired,
  TokenInvalid,
  Unauthenticated,
} from './auth.errors.js';
export { AccessTokens, type AccessTokenSettings } from './tokens/access-tokens.js';
export {
  newTokenKey,
  TokenKeys,
  type PublicJwk,
  type TokenKey,
  type TokenKeyMaterial,
} from './tokens/token-keys.js';
export { allowsModel, TenantRulesSource, type TenantRules } from './tenant-rules.js';
