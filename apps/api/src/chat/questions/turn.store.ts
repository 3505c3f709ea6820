import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { TenantDb } from '#libs/database';
import { type Answer, fingerprintNow, type SearchResult } from '../../rag/index.js';
import type { Owner } from '../conversations/conversation.js';
import type { Selection, Turn, TurnStatus } from './turn.js';

/** A process that was killed leaves its turns as they were; none is written for longer than this. */
const LOST_AFTER = '5 minutes';
export const ANSWER_LOST = 'answer-lost';

/** All SQL about turns. A turn is as private as the conversation that it belongs to. */
@Injectable()
export class TurnStore {
  /**
   * Saves a turn as it stands, with its record. One that has ended stays as it ended, whoever comes later. Its
   * conversation was used just now; without a title it gets the beginning of the question.
   *
   * @returns false when its conversation is gone or it had ended before
   */
  async save(db: TenantDb, owner: Owner, turn: Turn): Promise<boolean> {
    const { answer } = turn;
    const parameters = [
      owner.tenantId,
      turn.id,
      turn.conversationId,
      owner.userId,
      turn.question,
      JSON.stringify(turn.selection),
      turn.status,
      JSON.stringify(turn.results),
      JSON.stringify(answer ?? { text: turn.text, citations: turn.citations }),
      answer?.servedBy ?? null,
      answer?.serviceLevel ?? null,
      turn.errorCode,
      turn.createdAt,
      turn.question.slice(0, TITLE_CHARS),
    ];
    const [saved] = await db.changeStatements(owner.tenantId, [{ sql: SAVE, parameters }]);
    return saved!.length > 0;
  }

  /**
   * Saves turns with answers that were given before, each if the documents that it asks have the fingerprint that they had
   * then, and so are what its owner may see now. Waits for nobody who changes a conversation.
   *
   * @returns the ids of those that were saved
   */
  async saveRepeated(
    tx: EntityManager,
    tenantId: string,
    turns: readonly RepeatedTurn[],
  ): Promise<Set<string>> {
    // Whoever asks several things at once, asks the same documents.
    const scopes = new Map<string, number>();
    const rows = turns.map(({ turn, userId, fingerprint }) => {
      const { documentIds: document_ids, collection, tags } = turn.selection;
      const asked = { user_id: userId, document_ids, collection, tags: tags?.length ? tags : null };
      const scope = JSON.stringify({ ...asked, fingerprint });
      if (!scopes.has(scope)) scopes.set(scope, scopes.size);
      return {
        id: turn.id,
        conversation_id: turn.conversationId,
        owner_id: userId,
        question: turn.question,
        selection: turn.selection,
        search_results: turn.results,
        answer: turn.answer,
        created_at: turn.createdAt,
        scope: scopes.get(scope),
      };
    });
    const saved = (await tx.query(SAVE_REPEATED, [
      tenantId,
      JSON.stringify(rows),
      `[${[...scopes.keys()].join()}]`,
    ])) as { id: string }[];
    return new Set(saved.map(({ id }) => id));
  }

  async find(tx: EntityManager, owner: Owner, conversationId: string, id: string): Promise<Turn | undefined> {
    const [row] = (await tx.query(
      `${SELECT} where t.tenant_id = $1 and c.owner_id = $2 and t.conversation_id = $3 and t.id = $4`,
      [owner.tenantId, owner.userId, conversationId, id],
    )) as TurnRow[];
    return row && toTurn(row);
  }

  /** The newest first; `before` is the id of the last one that was listed. */
  async list(
    tx: EntityManager,
    owner: Owner,
    conversationId: string,
    before: string | undefined,
    limit: number,
  ): Promise<Turn[]> {
    const rows = (await tx.query(
      `${SELECT} where t.tenant_id = $1 and c.owner_id = $2 and t.conversation_id = $3
         and ($4::uuid is null or t.id < $4)
       order by t.id desc limit $5`,
      [owner.tenantId, owner.userId, conversationId, before ?? null, limit],
    )) as TurnRow[];
    return rows.map(toTurn);
  }
}

/** A turn that is answered, with what its answer was given from. */
export interface RepeatedTurn {
  turn: Turn;
  userId: string;
  fingerprint: string;
}

/** Titles are cut; a question may be longer. */
const TITLE_CHARS = 80;

/** One statement, so that a question whose answer is ready costs one round trip more. */
const SAVE = `
  with saved as (
    insert into turn (tenant_id, id, conversation_id, question, selection, status, search_results, answer,
                      served_by, service_level, error_code, created_at, finished_at)
    select c.tenant_id, $2::uuid, c.id, $5, $6::jsonb, $7, $8::jsonb, $9::jsonb, $10, $11, $12, $13::timestamptz,
           case when $7 <> 'answering' then now() end
    from conversation c where c.tenant_id = $1 and c.id = $3 and c.owner_id = $4
    on conflict (tenant_id, id) do update
      set status = excluded.status, search_results = excluded.search_results, answer = excluded.answer,
          served_by = excluded.served_by, service_level = excluded.service_level, error_code = excluded.error_code,
          finished_at = excluded.finished_at
      where turn.status = 'answering'
    returning conversation_id
  )
  update conversation c set updated_at = now(), title = coalesce(c.title, $14)
  from saved where c.tenant_id = $1 and c.id = saved.conversation_id
  returning c.id`;

const SAVE_REPEATED = `
  with given as (
    select * from jsonb_to_recordset($2::jsonb)
      as row (id uuid, conversation_id uuid, owner_id uuid, question text, selection jsonb, search_results jsonb,
              answer jsonb, created_at timestamptz, scope int)
  ), unchanged as (
    select asked.number - 1 as scope
    from rows from (jsonb_to_recordset($3::jsonb)
                    as (user_id uuid, document_ids uuid[], collection text, tags text[], fingerprint text))
      with ordinality as asked (user_id, document_ids, collection, tags, fingerprint, number)
    where asked.fingerprint = ${fingerprintNow('$1', 'asked')}
  ), held as (
    select c.id from conversation c join given on c.id = given.conversation_id and c.owner_id = given.owner_id
    where c.tenant_id = $1 for no key update of c skip locked
  ), saved as (
    insert into turn (tenant_id, id, conversation_id, question, selection, status, search_results, answer, served_by,
                      service_level, created_at, finished_at)
    select $1, given.id, held.id, given.question, given.selection, 'answered', given.search_results, given.answer,
           given.answer->>'servedBy', given.answer->>'serviceLevel', given.created_at, now()
    from given join unchanged using (scope) join (select distinct id from held) held on held.id = given.conversation_id
    on conflict (tenant_id, id) do nothing
    returning id, conversation_id, question
  ), used as (
    update conversation c set updated_at = now(), title = coalesce(c.title, left(saved.question, ${TITLE_CHARS}))
    from saved where c.tenant_id = $1 and c.id = saved.conversation_id
  )
  select id from saved`;

const SELECT = `
  select t.id, t.conversation_id, t.question, t.selection, t.search_results, t.answer, t.created_at,
         t.status = 'answering' and t.created_at < now() - interval '${LOST_AFTER}' as lost, t.status, t.error_code
  from turn t join conversation c on c.tenant_id = t.tenant_id and c.id = t.conversation_id`;

interface TurnRow {
  id: string;
  conversation_id: string;
  question: string;
  selection: Selection;
  status: TurnStatus;
  lost: boolean;
  search_results: SearchResult[];
  answer: Answer;
  error_code: string | null;
  created_at: Date;
}

function toTurn(row: TurnRow): Turn {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    question: row.question,
    selection: row.selection,
    status: row.lost ? 'failed' : row.status,
    results: row.search_results,
    text: row.answer.text,
    citations: row.answer.citations,
    answer: row.status === 'answered' ? row.answer : null,
    errorCode: row.lost ? ANSWER_LOST : row.error_code,
    isSaved: true,
    createdAt: row.created_at,
  };
}
