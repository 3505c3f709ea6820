import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Conversation, Owner } from './conversation.js';

/** All SQL about conversations. Every statement names the owner: row-level security knows only the tenant. */
@Injectable()
export class ConversationStore {
  /** One that is there already, made by the same request, stays as it is. */
  async insert(tx: EntityManager, owner: Owner, id: string, title: string | null): Promise<Conversation> {
    const [row] = (await tx.query(
      `insert into conversation (tenant_id, id, owner_id, title) values ($1, $2, $3, $4)
       on conflict (tenant_id, id) do update set id = excluded.id returning ${COLUMNS}`,
      [owner.tenantId, id, owner.userId, title],
    )) as [ConversationRow];
    return toConversation(row);
  }

  async find(tx: EntityManager, owner: Owner, id: string): Promise<Conversation | undefined> {
    const [row] = (await tx.query(`select ${COLUMNS} from conversation where owner_id = $1 and id = $2`, [
      owner.userId,
      id,
    ])) as ConversationRow[];
    return row && toConversation(row);
  }

  /** The newest first; `before` is the id of the last one that was listed. */
  async list(
    tx: EntityManager,
    owner: Owner,
    before: string | undefined,
    limit: number,
  ): Promise<Conversation[]> {
    const rows = (await tx.query(
      `select ${COLUMNS} from conversation
       where tenant_id = $1 and owner_id = $2 and ($3::uuid is null or id < $3)
       order by id desc limit $4`,
      [owner.tenantId, owner.userId, before ?? null, limit],
    )) as ConversationRow[];
    return rows.map(toConversation);
  }

  /** With its turns. Tells whether there was one. */
  async delete(tx: EntityManager, owner: Owner, id: string): Promise<boolean> {
    const [, count] = (await tx.query(`delete from conversation where owner_id = $1 and id = $2`, [
      owner.userId,
      id,
    ])) as [unknown, number];
    return count > 0;
  }

  /** A question was asked in it; a conversation without a title gets the beginning of the question. */
  async touch(tx: EntityManager, id: string, title: string): Promise<void> {
    await tx.query(`update conversation set updated_at = now(), title = coalesce(title, $2) where id = $1`, [
      id,
      title,
    ]);
  }
}

const COLUMNS = 'id, title, created_at, updated_at';

interface ConversationRow {
  id: string;
  title: string | null;
  created_at: Date;
  updated_at: Date;
}

function toConversation(row: ConversationRow): Conversation {
  return { id: row.id, title: row.title, createdAt: row.created_at, updatedAt: row.updated_at };
}
