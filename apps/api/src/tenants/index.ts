export { TenantsModule } from './tenants.module.js';
export { tenantIdOf, TenantsService, type NewUser } from './tenants.service.js';
export type { Account, User, UserWithPassword } from './tenant.store.js';
export { AccountNotFound } from './tenants.errors.js';
