import { Injectable } from '@nestjs/common';
import {
  type AuditEvent,
  type AuditQuery,
  type ConsistencyProof,
  type EventProof,
  findAuditEvent,
  INSTALLATION,
  listAudit,
  listCheckpoints,
  proveConsistency,
  proveEvent,
  type StoredCheckpoint,
} from '#libs/audit';
import { Forbidden, type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { AuditEventNotFound, CheckpointNotFound } from './audit.errors.js';

/** Whose events: those of the caller's own tenant, or those that belong to none, which are for operators. */
export type AuditScope = 'tenant' | 'installation';

@Injectable()
export class AuditEventsService {
  constructor(private readonly db: TenantDb) {}

  /** @throws Forbidden when the caller asks for what belongs to no tenant and does not run the installation */
  async list(principal: Principal, scope: AuditScope, query: AuditQuery): Promise<AuditEvent[]> {
    const tenantId = tenantOf(principal, scope);
    return this.db.read(tenantId, (tx) => listAudit(tx, tenantId, query));
  }

  /** @throws AuditEventNotFound, Forbidden */
  async get(principal: Principal, scope: AuditScope, id: string): Promise<AuditEvent> {
    const tenantId = tenantOf(principal, scope);
    const event = await this.db.read(tenantId, (tx) => findAuditEvent(tx, tenantId, id));
    if (!event) throw new AuditEventNotFound();
    return event;
  }

  /** @throws AuditEventNotFound, EventNotSealed, Forbidden */
  async prove(principal: Principal, scope: AuditScope, id: string): Promise<EventProof> {
    const tenantId = tenantOf(principal, scope);
    const proof = await this.db.runAsAuditor((tx) => proveEvent(tx, tenantId, id));
    if (!proof) throw new AuditEventNotFound();
    return proof;
  }

  /** The newest first. */
  checkpoints(query: { before?: number; limit: number }): Promise<StoredCheckpoint[]> {
    return this.db.runAsAuditor((tx) => listCheckpoints(tx, query));
  }

  /** @throws CheckpointNotFound */
  async proveConsistency(from: number, to: number): Promise<ConsistencyProof> {
    const proof = await this.db.runAsAuditor((tx) => proveConsistency(tx, from, to));
    if (!proof) throw new CheckpointNotFound();
    return proof;
  }
}

function tenantOf(principal: Principal, scope: AuditScope): string {
  if (scope === 'tenant') return principal.tenantId;
  if (!principalAllows(principal, 'system.audit')) throw new Forbidden('system.audit');
  return INSTALLATION;
}
