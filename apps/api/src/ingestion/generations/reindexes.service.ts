import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { auditDetail } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, newResourceId, page, type Page, settleQuota } from '#libs/http';
import type { Reindex } from './reindex.js';
import {
  type CreateReindex,
  type ListReindexes,
  type ListReindexItems,
  type ReindexBody,
  type ReindexItemBody,
  toReindexBody,
  toReindexItemBody,
} from './reindex.dto.js';
import { ReindexEnded, ReindexNotEnded, ReindexNotFound } from './reindex.errors.js';
import { ReindexQueue } from './reindex-queue.js';
import { ReindexStore } from './reindex.store.js';
import { ReindexWork } from './reindex-work.js';

const ReindexCursor = z.tuple([z.string().max(40), z.uuid()]);
const ItemCursor = z.tuple([z.uuid()]);

/** Orders to make documents anew, as those who manage the processing of a tenant's documents see and steer them. */
@Injectable()
export class ReindexesService {
  constructor(
    private readonly db: TenantDb,
    private readonly reindexes: ReindexStore,
    private readonly queue: ReindexQueue,
    private readonly work: ReindexWork,
  ) {}

  create(
    { tenantId, userId }: Principal,
    order: CreateReindex,
    correlationId: string | undefined,
  ): Promise<ReindexBody> {
    const id = newResourceId();
    const { scope, from, reason } = order;
    return this.db.change(tenantId, async (tx) => {
      await this.reindexes.insert(tx, { id, createdBy: userId, scope, from, reason, correlationId });
      const body = await this.body(tx, id);
      auditDetail({
        targets: [{ type: 'reindex', id }],
        detail: { from, documents: body.items.total!, reason: reason ?? null },
      });
      // Each of them is work like an upload, though it is one request.
      settleQuota(Math.max(1, body.items.total!));
      return body;
    });
  }

  list({ tenantId }: Principal, { cursor, limit }: ListReindexes): Promise<Page<ReindexBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, ReindexCursor);
    const position = after && { createdAt: after[0], id: after[1] };
    return this.db.read(tenantId, async (tx) => {
      const rows = await this.reindexes.list(tx, position, limit + 1);
      const ids = rows.map(({ reindex }) => reindex.id);
      const tallies = Map.groupBy(await this.reindexes.tally(tx, ids), ({ reindexId }) => reindexId);
      return page(
        rows,
        limit,
        (row) => [row.position.createdAt, row.position.id],
        ({ reindex }) => toReindexBody(reindex, tallies.get(reindex.id) ?? []),
      );
    });
  }

  /** @throws ReindexNotFound */
  get({ tenantId }: Principal, id: string): Promise<ReindexBody> {
    return this.db.read(tenantId, (tx) => this.body(tx, id));
  }

  /** @throws ReindexNotFound */
  listItems({ tenantId }: Principal, id: string, query: ListReindexItems): Promise<Page<ReindexItemBody>> {
    const [after] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ItemCursor);
    return this.db.read(tenantId, async (tx) => {
      await this.find(tx, id);
      const { state, limit } = query;
      const items = await this.reindexes.listItems(tx, id, { state, after, limit: limit + 1 });
      return page(items, limit, ({ documentId }) => [documentId], toReindexItemBody);
    });
  }

  /**
   * Begins nothing more of it at once, then stops what is under way, document by document; a worker goes on with that
   * should it be cut off. Twice is once.
   *
   * @throws ReindexNotFound, ReindexEnded
   */
  async cancel(principal: Principal, id: string): Promise<ReindexBody> {
    const { tenantId } = principal;
    const running = await this.change(principal, id, async (tx, { state }) => {
      if (state !== 'running' && state !== 'cancelled') throw new ReindexEnded(state);
      if (state === 'running') {
        await this.reindexes.setState(tx, id, 'cancelled');
        await this.reindexes.cancelWaiting(tx, id);
      }
      return this.queue.listToCancel(tx, id);
    });
    for (const item of running) await this.work.cancel(tenantId, item);
    return this.get(principal, id);
  }

  /**
   * Every document of it that was switched, and of which nothing newer is found, goes back to what it was before; a
   * worker does that. Twice is once.
   *
   * @throws ReindexNotFound, ReindexNotEnded
   */
  rollBack(principal: Principal, id: string): Promise<ReindexBody> {
    return this.change(principal, id, async (tx, { state, finishedAt }) => {
      const isOrdered = state === 'rolling_back' || state === 'rolled_back';
      if (!isOrdered && finishedAt === null) throw new ReindexNotEnded(state);
      if (!isOrdered) await this.reindexes.setState(tx, id, 'rolling_back');
      return this.body(tx, id);
    });
  }

  private change<T>(
    { tenantId }: Principal,
    id: string,
    work: (tx: EntityManager, reindex: Reindex) => Promise<T>,
  ): Promise<T> {
    return this.db.change(tenantId, async (tx) => {
      await this.reindexes.lock(tx, id);
      const reindex = await this.find(tx, id);
      auditDetail({ targets: [{ type: 'reindex', id }] });
      return work(tx, reindex);
    });
  }

  private async body(tx: EntityManager, id: string): Promise<ReindexBody> {
    return toReindexBody(await this.find(tx, id), await this.reindexes.tally(tx, [id]));
  }

  private async find(tx: EntityManager, id: string): Promise<Reindex> {
    const reindex = await this.reindexes.find(tx, id);
    if (!reindex) throw new ReindexNotFound(id);
    return reindex;
  }
}
