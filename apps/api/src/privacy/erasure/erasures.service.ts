import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { newResourceId } from '#libs/http';
import { UsersService } from '../../auth/index.js';
import { Withdrawals } from '../../rag/index.js';
import { ColleaguesService } from '../../tenants/index.js';
import { ErasureNotFound, ErasureNotWaiting, HeirUnsuitable } from '../privacy.errors.js';
import type { Erasure, SharedDocuments } from './erasure.js';
import {
  endImports,
  findErasure,
  insertErasure,
  listErasures,
  restoreDocuments,
  withholdDocuments,
} from './erasure.store.js';
import { assertMayErase } from '../holds.js';
import { cancelWaiting } from './run.store.js';

export interface ErasureRequest {
  userId: string;
  sharedDocuments: SharedDocuments;
  /** Whoever asks, unless given. */
  heirId?: string;
  /** 0: at once, and not to be taken back. */
  graceDays: number;
}

/**
 * Forgetting people, in two steps. At once they can neither log in nor be found; after the days of grace, until which it
 * can be taken back, `PersonErasure` removes what there is of them.
 */
@Injectable()
export class ErasuresService {
  constructor(
    private readonly db: TenantDb,
    private readonly users: UsersService,
    private readonly colleagues: ColleaguesService,
    private readonly withdrawals: Withdrawals,
  ) {}

  /** @throws UserNotFound, UserBeingErased, RoleOutOfReach, LastAdministrator, HeirUnsuitable, LegalHoldInForce */
  async request(principal: Principal, request: ErasureRequest): Promise<Erasure> {
    const { tenantId } = principal;
    const id = newResourceId();
    const { erasure, withheld } = await this.db.change(tenantId, async (tx) => {
      auditDetail({
        targets: [
          { type: 'user', id: request.userId },
          { type: 'erasure', id },
        ],
        detail: { shared_documents: request.sharedDocuments, grace_days: request.graceDays },
      });
      const before = await findErasure(tx, tenantId, id);
      return before ? { erasure: before, withheld: [] } : this.begin(tx, principal, id, request);
    });
    this.users.forget(tenantId, request.userId);
    await this.withdrawals.add(
      tenantId,
      withheld.map((documentId) => ({ documentId })),
    );
    return erasure;
  }

  /** Lets him in again and gives his documents back their place; imports that were under way stay ended. */
  async cancel(principal: Principal, id: string): Promise<Erasure> {
    const { tenantId } = principal;
    return this.db.change(tenantId, async (tx) => {
      const { userId, wasSuspended, state } = await getErasure(tx, tenantId, id);
      if (!userId || !(await cancelWaiting(tx, 'erasure', { tenantId, id })))
        throw new ErasureNotWaiting(state);
      await restoreDocuments(tx, tenantId, id);
      await this.users.letInAgain(tx, principal, userId, { wasSuspended });
      auditDetail({
        targets: [
          { type: 'user', id: userId },
          { type: 'erasure', id },
        ],
      });
      return getErasure(tx, tenantId, id);
    });
  }

  /** @throws ErasureNotFound */
  get({ tenantId }: Principal, id: string): Promise<Erasure> {
    return this.db.read(tenantId, (tx) => getErasure(tx, tenantId, id));
  }

  list({ tenantId }: Principal, page: { before?: string; limit: number }): Promise<Erasure[]> {
    return this.db.read(tenantId, (tx) => listErasures(tx, tenantId, page));
  }

  private async begin(
    tx: EntityManager,
    principal: Principal,
    id: string,
    { userId, sharedDocuments, heirId = principal.userId, graceDays }: ErasureRequest,
  ): Promise<{ erasure: Erasure; withheld: string[] }> {
    const { tenantId } = principal;
    await assertMayErase(tx, tenantId, userId);
    await this.assertSuitable(tx, tenantId, heirId, userId);
    const { wasSuspended } = await this.users.lockOut(tx, principal, userId);
    const requestedBy = principal.userId;
    const request = { tenantId, id, userId, requestedBy, heirId, sharedDocuments, wasSuspended, graceDays };
    const erasure = await insertErasure(tx, request);
    await endImports(tx, tenantId, userId);
    return { erasure, withheld: await withholdDocuments(tx, { tenantId, id, userId, sharedDocuments }) };
  }

  private async assertSuitable(
    tx: EntityManager,
    tenantId: string,
    heirId: string,
    userId: string,
  ): Promise<void> {
    if (heirId === userId) throw new HeirUnsuitable();
    const heir = await this.colleagues.find(tx, tenantId, heirId);
    const runsTenant = heir.role === 'admin' || heir.role === 'operator';
    if (!runsTenant || heir.suspendedAt) throw new HeirUnsuitable();
  }
}

async function getErasure(tx: EntityManager, tenantId: string, id: string): Promise<Erasure> {
  const erasure = await findErasure(tx, tenantId, id);
  if (!erasure) throw new ErasureNotFound();
  return erasure;
}
