import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { TenantDb } from '#libs/database';
import type { Conversation, Owner } from './conversation.js';

/** All SQL about conversations. Every statement names the owner: row-level security knows only the tenant. */
@Injectable()
export class ConversationStore {
  /** One that is there already, made by the same request, stays as it is. */
  async insert(db: TenantDb, owner: Owner, id: string, title: string | null): Promise<Conversation> {
    const parameters = [owner.tenantId, id, owner.userId, title];
    const [[row]] = await db.changeStatements<[[ConversationRow]]>(owner.tenantId, [
      { sql: INSERT, parameters },
    ]);
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
}

const COLUMNS = 'id, title, created_at, updated_at';

const INSERT = `
  insert into conversation (tenant_id, id, owner_id, title) values ($1, $2, $3, $4)
  on conflict (tenant_id, id) do update set id = excluded.id returning ${COLUMNS}`;

interface ConversationRow {
  id: string;
  title: string | null;
  created_at: Date;
  updated_at: Date;
}

function toConversation(row: ConversationRow): Conversation {
  return { id: row.id, title: row.title, createdAt: row.created_at, updatedAt: row.updated_at };
}
