import { Global, Module } from '@nestjs/common';
import { TenantRulesSource } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { ColleaguesService } from './colleagues.service.js';
import { DirectoryService } from './directory.service.js';
import { StoredTenantRules } from './stored-tenant-rules.js';
import { TenantDirectory } from './tenant-directory.js';
import { TenantSettingsService } from './tenant-settings.service.js';
import { TenantsService } from './tenants.service.js';

/** Global for the rules alone, which every domain looks up under the name that `#libs/auth` gives them. */
@Global()
@Module({
  providers: [
    TenantsService,
    ColleaguesService,
    DirectoryService,
    TenantSettingsService,
    TenantDirectory,
    {
      provide: StoredTenantRules,
      useFactory: (db: TenantDb) => new StoredTenantRules(db),
      inject: [TenantDb],
    },
    { provide: TenantRulesSource, useExisting: StoredTenantRules },
  ],
  exports: [
    TenantsService,
    ColleaguesService,
    DirectoryService,
    TenantSettingsService,
    TenantDirectory,
    TenantRulesSource,
  ],
})
export class TenantsModule {}
