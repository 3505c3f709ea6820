import { type DynamicModule, Module, type OnModuleInit } from '@nestjs/common';
import { ExportKinds } from '#libs/exports';
import { TenantsModule } from '../tenants/index.js';
import { ErasuresController } from './erasure/erasures.controller.js';
import { ErasuresService } from './erasure/erasures.service.js';
import { PersonErasure } from './erasure/person-erasure.js';
import { PersonCopy, TenantCopy } from './exports/privacy.kinds.js';
import { PrivacyExportsController } from './exports/privacy-exports.controller.js';
import { PrivacyExports } from './exports/privacy-exports.js';
import { PrivacyWorker } from './privacy.worker.js';
import { RetentionController } from './retention/retention.controller.js';
import { RetentionService } from './retention/retention.service.js';
import { RetentionSweep } from './retention/retention-sweep.js';
import { TenantDeletionsController } from './tenants/tenant-deletions.controller.js';
import { TenantDeletionsService } from './tenants/tenant-deletions.service.js';
import { TenantErasure } from './tenants/tenant-erasure.js';

/*
 * The words of this domain. An *erasure* forgets a person, a *deletion* a tenant; both *run* in *steps* once their days of
 * grace are over, and leave a *receipt*. A *copy* is an export of what is somebody's. *Retention* is how long documents are
 * kept. The *data map* says of every table what all of these do with it.
 */
@Module({})
export class PrivacyModule implements OnModuleInit {
  constructor(
    private readonly kinds: ExportKinds,
    private readonly person: PersonCopy,
    private readonly tenant: TenantCopy,
  ) {}

  /** `http`: the routes. `worker`: what is due is done in this process. */
  static register({ http, worker }: { http: boolean; worker: boolean }): DynamicModule {
    return {
      module: PrivacyModule,
      imports: [TenantsModule],
      controllers: http
        ? [PrivacyExportsController, ErasuresController, RetentionController, TenantDeletionsController]
        : [],
      providers: [
        PersonCopy,
        TenantCopy,
        PrivacyExports,
        RetentionService,
        ...(http ? [ErasuresService, TenantDeletionsService] : []),
        ...(worker ? [PersonErasure, TenantErasure, RetentionSweep, PrivacyWorker] : []),
      ],
    };
  }

  onModuleInit(): void {
    for (const kind of [this.person, this.tenant]) this.kinds.register(kind);
  }
}
