import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, page, type Page } from '#libs/http';
import { Embedder } from '../../rag/index.js';
import { Forecast } from '../documents/forecast.js';
import { TenantNotFound } from '../ingestion.errors.js';
import { INSTALLATION } from '../jobs/claim.js';
import {
  type DeadLetterBody,
  type IngestionBody,
  type ListDeadLetters,
  type OrdersBody,
  type RetriedBody,
  type RetryDeadLetters,
  toDeadLetterBody,
  toIngestionBody,
} from './control.dto.js';
import { type Control, ControlStore } from './control.store.js';
import { DeadLetterStore } from './dead-letter.store.js';

const LetterCursor = z.tuple([z.string().max(40), z.uuid()]);

/** The processing of a tenant as a whole: how it stands, pauses, limits, and what failed. */
@Injectable()
export class ControlService {
  constructor(
    private readonly db: TenantDb,
    private readonly control: ControlStore,
    private readonly letters: DeadLetterStore,
    private readonly forecast: Forecast,
    private readonly embedder: Embedder,
  ) {}

  overview({ tenantId }: Principal): Promise<IngestionBody> {
    return this.db.read(tenantId, (tx) => this.read(tx, tenantId));
  }

  /** Holds on all workers for jobs that are taken from now on. Pausing twice is pausing once. */
  pause(principal: Principal, reason: string | undefined): Promise<IngestionBody> {
    const { tenantId, userId } = principal;
    return this.db.change(tenantId, async (tx) => {
      await this.control.pause(tx, tenantId, { by: userId, reason });
      auditDetail({ detail: { reason: reason ?? null } });
      return this.read(tx, tenantId);
    });
  }

  resume({ tenantId }: Principal): Promise<IngestionBody> {
    return this.db.change(tenantId, async (tx) => {
      await this.control.resume(tx, tenantId);
      return this.read(tx, tenantId);
    });
  }

  listDeadLetters(
    { tenantId, userId }: Principal,
    { cursor, limit, ...filter }: ListDeadLetters,
  ): Promise<Page<DeadLetterBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, LetterCursor);
    const position = after && { failedAt: after[0], documentId: after[1] };
    return this.db.read(tenantId, async (tx) =>
      page(
        await this.letters.list(tx, userId, filter, position, limit + 1),
        limit,
        (row) => [row.position.failedAt, row.position.documentId],
        ({ letter }) => toDeadLetterBody(letter),
      ),
    );
  }

  /** All in one transaction; what does not fit into one call is left for the next. */
  retryDeadLetters(
    { tenantId }: Principal,
    { limit, ...filter }: RetryDeadLetters,
    correlationId: string | undefined,
  ): Promise<RetriedBody> {
    return this.db.change(tenantId, async (tx) => {
      const ids = await this.letters.retry(tx, filter, limit, correlationId);
      auditDetail({ detail: { retried: ids.length } });
      return { retried: ids.length, remaining: await this.letters.count(tx, filter) };
    });
  }

  /** For operators: what was ordered, for whom. */
  orders(): Promise<OrdersBody> {
    return this.db.runAsOperator(async (tx) => ordersOf(await this.control.list(tx)));
  }

  /** For operators: of one tenant, or of the installation. @throws TenantNotFound */
  async limit(
    principal: Principal,
    tenantId: string | undefined,
    maxRunning: number | null,
  ): Promise<OrdersBody> {
    if (tenantId !== undefined) await this.assertTenant(tenantId);
    return this.order(principal, tenantId, { max_running: maxRunning }, (tx, target) =>
      this.control.limit(tx, target, maxRunning),
    );
  }

  /** For operators: no worker of the installation takes a job. */
  pauseInstallation(principal: Principal, reason: string | undefined): Promise<OrdersBody> {
    return this.order(principal, undefined, { reason: reason ?? null }, (tx, target) =>
      this.control.pause(tx, target, { by: principal.userId, reason }),
    );
  }

  resumeInstallation(principal: Principal): Promise<OrdersBody> {
    return this.order(principal, undefined, {}, (tx, target) => this.control.resume(tx, target));
  }

  private order(
    principal: Principal,
    tenantId: string | undefined,
    detail: Record<string, string | number | null>,
    write: (tx: EntityManager, target: string) => Promise<void>,
  ): Promise<OrdersBody> {
    return this.db.changeAsOperator(principal.tenantId, async (tx) => {
      await write(tx, tenantId ?? INSTALLATION);
      auditDetail({ targets: tenantId ? [{ type: 'tenant', id: tenantId }] : [], detail });
      return ordersOf(await this.control.list(tx));
    });
  }

  private async read(tx: EntityManager, tenantId: string): Promise<IngestionBody> {
    const controls = await this.control.list(tx);
    const of = (id: string) => controls.find((control) => control.tenantId === id);
    const [own, installation] = [of(tenantId), of(INSTALLATION)];
    const queue = await this.control.queue(tx);
    const isPaused = Boolean(own?.pausedAt ?? installation?.pausedAt);
    const expectedAt = isPaused ? undefined : await this.forecast.allDoneAt(tx, tenantId, queue);
    const models = await this.control.models(tx);
    const configuredModel = this.embedder.model;
    return toIngestionBody({ own, installation, queue, models, configuredModel, expectedAt });
  }

  private async assertTenant(tenantId: string): Promise<void> {
    const rows = await this.db.read(tenantId, (tx) =>
      tx.query<unknown[]>(`select from tenant where tenant_id = $1`, [tenantId]),
    );
    if (rows.length === 0) throw new TenantNotFound(tenantId);
  }
}

function ordersOf(controls: readonly Control[]): OrdersBody {
  const bodies = controls.map(({ tenantId, pausedAt, maxRunning }) => ({
    tenant_id: tenantId,
    paused_at: pausedAt?.toISOString() ?? null,
    max_running: maxRunning,
  }));
  const { paused_at = null, max_running = null } =
    bodies.find((body) => body.tenant_id === INSTALLATION) ?? {};
  return {
    installation: { paused_at, max_running },
    tenants: bodies.filter((body) => body.tenant_id !== INSTALLATION),
  };
}
