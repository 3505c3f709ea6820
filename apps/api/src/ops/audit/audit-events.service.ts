import { Injectable } from '@nestjs/common';
import { type AuditEvent, type AuditQuery, INSTALLATION, listAudit } from '#libs/audit';
import { Forbidden, type Principal, roleAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';

@Injectable()
export class AuditEventsService {
  constructor(private readonly db: TenantDb) {}

  /** The log of the caller's own tenant. */
  listOfTenant({ tenantId }: Principal, query: AuditQuery): Promise<AuditEvent[]> {
    return this.db.read(tenantId, (tx) => listAudit(tx, tenantId, query));
  }

  /**
   * What belongs to no tenant.
   *
   * @throws Forbidden unless the caller runs the installation
   */
  async listOfInstallation({ role }: Principal, query: AuditQuery): Promise<AuditEvent[]> {
    if (!roleAllows(role, 'system.audit')) throw new Forbidden('system.audit');
    return this.db.read(INSTALLATION, (tx) => listAudit(tx, INSTALLATION, query));
  }
}
