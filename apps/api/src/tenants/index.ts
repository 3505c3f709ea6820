export { TenantsModule } from './tenants.module.js';
export { normalEmail, tenantIdOf, TenantsService, type NewUser } from './tenants.service.js';
export { ColleaguesService, type UserChange } from './colleagues.service.js';
export {
  QuotaFactor,
  TenantName,
  type Account,
  type Colleague,
  type Tenant,
  type User,
  type UserWithPassword,
} from './tenant.js';
export { TenantController } from './tenant.controller.js';
export { DirectoryController } from './directory.controller.js';
export { TenantDirectory } from './tenant-directory.js';
export { TenantItem, toTenantItem } from './tenants.dto.js';
export { AccountNotFound, AddressTaken, OwnTenant, RoleOutOfReach, TenantExists } from './tenants.errors.js';
