import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { auditDetail, LegalHolds } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { decodeCursor, newResourceId, page, type Page } from '#libs/http';
import { ConversationNotFound } from '../chat.errors.js';
import type { Turn } from '../questions/turn.js';
import { TurnStore } from '../questions/turn.store.js';
import type { Conversation, Owner } from './conversation.js';
import { ConversationStore } from './conversation.store.js';

/** The id of the last one of the page before: ids sort by time. */
const IdCursor = z.tuple([z.uuid()]);

interface PageQuery {
  cursor?: string;
  limit: number;
}

@Injectable()
export class ConversationsService {
  private readonly holds = new LegalHolds();

  constructor(
    private readonly db: TenantDb,
    private readonly conversations: ConversationStore,
    private readonly turns: TurnStore,
  ) {}

  create(owner: Owner, title: string | undefined): Promise<Conversation> {
    const id = newResourceId();
    auditDetail({ targets: [{ type: 'conversation', id }] });
    return this.conversations.insert(this.db, owner, id, title ?? null);
  }

  /** The owner's own, the newest first. */
  async list(owner: Owner, { cursor, limit }: PageQuery): Promise<Page<Conversation>> {
    const before = positionOf(cursor);
    const rows = await this.db.read(owner.tenantId, (tx) =>
      this.conversations.list(tx, owner, before, limit + 1),
    );
    return page(rows, limit, idOf, (row) => row);
  }

  /**
   * A conversation with a page of its turns, the newest first.
   *
   * @throws ConversationNotFound
   */
  async get(
    owner: Owner,
    id: string,
    { cursor, limit }: PageQuery,
  ): Promise<{ conversation: Conversation; turns: Page<Turn> }> {
    const before = positionOf(cursor);
    return this.db.read(owner.tenantId, async (tx) => {
      const conversation = await this.conversations.find(tx, owner, id);
      if (!conversation) throw new ConversationNotFound(id);
      const rows = await this.turns.list(tx, owner, id, before, limit + 1);
      return { conversation, turns: page(rows, limit, idOf, (row) => row) };
    });
  }

  /** @throws ConversationNotFound, LegalHoldInForce when its owner or the tenant is held */
  async delete({ tenantId, userId }: Owner, id: string): Promise<void> {
    const owner = { tenantId, userId };
    auditDetail({ targets: [{ type: 'conversation', id }] });
    await this.db.change(tenantId, async (tx) => {
      await this.holds.assertNone(tx, owner);
      if (!(await this.conversations.delete(tx, owner, id))) throw new ConversationNotFound(id);
    });
  }
}

const idOf = ({ id }: { id: string }): [string] => [id];
const positionOf = (cursor: string | undefined) => (cursor ? decodeCursor(cursor, IdCursor)[0] : undefined);
