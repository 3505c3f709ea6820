import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  type AuditEvent,
  type AuditQuery,
  type ConsistencyProof,
  type EventProof,
  findAuditEvent,
  INSTALLATION,
  listAudit,
  listCheckpoints,
  PersonalData,
  type PersonalDatum,
  proveConsistency,
  proveEvent,
  proveTreeConsistency,
  type StoredCheckpoint,
  type TreeConsistencyProof,
} from '#libs/audit';
import { Forbidden, type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { AuditEventNotFound, CheckpointNotFound, TreeStateNotFound } from './audit.errors.js';

/** Whose events: those of the caller's own tenant, or those that belong to none, which are for operators. */
export type AuditScope = 'tenant' | 'installation';

/** With what it says of a person, as far as that was not erased. */
export type TellingEvent = AuditEvent & { personal: PersonalDatum[] };

@Injectable()
export class AuditEventsService {
  constructor(
    private readonly db: TenantDb,
    private readonly personal: PersonalData,
  ) {}

  /** @throws Forbidden when the caller asks for what belongs to no tenant and does not run the installation */
  async list(principal: Principal, scope: AuditScope, query: AuditQuery): Promise<TellingEvent[]> {
    const tenantId = tenantOf(principal, scope);
    return this.db.read(tenantId, async (tx) =>
      this.telling(tx, tenantId, await listAudit(tx, tenantId, query)),
    );
  }

  /** @throws AuditEventNotFound, Forbidden */
  async get(principal: Principal, scope: AuditScope, id: string): Promise<TellingEvent> {
    const tenantId = tenantOf(principal, scope);
    return this.db.read(tenantId, async (tx) => {
      const event = await findAuditEvent(tx, tenantId, id);
      if (!event) throw new AuditEventNotFound();
      return (await this.telling(tx, tenantId, [event]))[0]!;
    });
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

  /** @throws TreeStateNotFound */
  async proveTreeConsistency(tenantId: string, from: number, to: number): Promise<TreeConsistencyProof> {
    const proof = await this.db.runAsAuditor((tx) => proveTreeConsistency(tx, tenantId, from, to));
    if (!proof) throw new TreeStateNotFound();
    return proof;
  }

  private async telling(
    tx: EntityManager,
    tenantId: string,
    events: readonly AuditEvent[],
  ): Promise<TellingEvent[]> {
    const personal = await this.personal.read(
      tx,
      tenantId,
      events.map(({ id }) => id),
    );
    return events.map((event) => ({ ...event, personal: personal.get(event.id) ?? [] }));
  }
}

/** Whose log. @throws Forbidden when it is the installation's, and the caller does not run that */
export function tenantOf(principal: Principal, scope: AuditScope): string {
  if (scope === 'tenant') return principal.tenantId;
  if (!principalAllows(principal, 'system.audit')) throw new Forbidden('system.audit');
  return INSTALLATION;
}
