export const ROLES = ['member', 'manager', 'admin', 'operator'] as const;
/**
 * member: asks, and uploads own documents. manager: also the documents that the tenant shares. admin: also runs the
 * tenant (users, audit). operator: also runs the installation.
 */
export type Role = (typeof ROLES)[number];

export const PERMISSIONS = [
  'account.own',
  'document.read',
  'document.write',
  'document.share',
  'group.manage',
  'ingestion.manage',
  'question.ask',
  'conversation.read',
  'conversation.write',
  'key.manage',
  'privacy.own',
  'privacy.manage',
  'audit.read',
  'audit.export',
  'audit.hold',
  'user.manage',
  'tenant.configure',
  'tenant.manage',
  'system.audit',
  'system.metrics',
  'system.operate',
] as const;
/**
 * What a route may require. `group.manage` is the groups of people that documents are shared with. `ingestion.manage` is the processing of all documents of the tenant, `account.own` is one's own account (who am I, log out), `key.manage` one's own API keys;
 * `privacy.own` a copy of one's own data, `privacy.manage` copies, erasures and retention of all of the tenant;
 * `tenant.configure` the rules of one's own tenant, `tenant.manage` all tenants;
 * `system.*` reaches beyond the tenant; `system.operate` steers the running program: overrides, faults, alerts.
 */
export type Permission = (typeof PERMISSIONS)[number];

/** Who is asking, as far as a verified credential says. The tenant comes from here and from nowhere else. */
export interface Principal {
  readonly tenantId: string;
  readonly userId: string;
  readonly role: Role;
  readonly via: 'session' | 'api-key';
  /** The session's or the API key's id. */
  readonly credentialId: string;
  /** Of an API key that may do less than its user; it never may do more. */
  readonly scopes?: readonly Permission[];
  /** Of a session that may do nothing before a second factor is enrolled: where that is done. */
  readonly enrolAt?: string;
  /** How many times the usual quotas his tenant has; 1 unless given. */
  readonly quotaFactor?: number;
  /** Of an API key that is good from these networks only. */
  readonly networks?: AddressCheck;
}

export interface AddressCheck {
  /** False also for what is no address. */
  has(address: string): boolean;
}

const MEMBER: readonly Permission[] = [
  'account.own',
  'document.read',
  'document.write',
  'question.ask',
  'conversation.read',
  'conversation.write',
  'key.manage',
  'privacy.own',
];
const MANAGER: readonly Permission[] = [...MEMBER, 'document.share'];
// The metrics are those of the whole installation, but no tenant is told apart in them.
const ADMIN: readonly Permission[] = [
  ...MANAGER,
  'group.manage',
  'privacy.manage',
  'ingestion.manage',
  'audit.read',
  'audit.export',
  'audit.hold',
  'user.manage',
  'tenant.configure',
  'system.metrics',
];
const OPERATOR: readonly Permission[] = [...ADMIN, 'tenant.manage', 'system.audit', 'system.operate'];

const PERMISSIONS_OF: Record<Role, ReadonlySet<Permission>> = {
  member: new Set(MEMBER),
  manager: new Set(MANAGER),
  admin: new Set(ADMIN),
  operator: new Set(OPERATOR),
};

export function roleAllows(role: Role, permission: Permission): boolean {
  return PERMISSIONS_OF[role].has(permission);
}

/** What the role allows, and the key too where it may do less than its user. */
export function principalAllows(
  { role, scopes }: Pick<Principal, 'role' | 'scopes'>,
  permission: Permission,
): boolean {
  return roleAllows(role, permission) && (!scopes || scopes.includes(permission));
}

export function permissionsOf(role: Role): Permission[] {
  return [...PERMISSIONS_OF[role]];
}

/** Whether somebody with the first role may do what one with the second may not. */
export function outranks(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) > ROLES.indexOf(other);
}
