import type { EntityManager } from 'typeorm';
import { IN_SCOPE, inScope, mayRead, scopeParameters } from '../passages/search-scope.js';
import type { AnswerRequest } from './answer.js';

/** The documents that a question is asked of. Lists of ids are cut at `MOST_LISTED`. */
export interface Scope {
  /** How many of them can be searched. */
  answerable: number;
  pendingDocumentIds: string[];
  failedDocumentIds: string[];
  /** Asked for by id and not visible to the reader. */
  unknownDocumentIds: string[];
  /** Changes with any change of the documents that this reader's answer could rest on, and of who may see them. */
  fingerprint: string;
}

const MOST_LISTED = 50;

/** What the reader may see of the documents the question is about, in one statement. */
export async function findScope(tx: EntityManager, request: AnswerRequest): Promise<Scope> {
  const [row] = (await tx.query(FIND_SCOPE, [...scopeParameters(request), MOST_LISTED])) as [ScopeRow];
  return {
    answerable: row.answerable,
    pendingDocumentIds: row.pending,
    failedDocumentIds: row.failed,
    unknownDocumentIds: row.unknown,
    fingerprint: row.fingerprint,
  };
}

/** The versions of those of the documents that the reader may see now. */
export async function findVersions(
  tx: EntityManager,
  reader: AnswerRequest['reader'],
  documentIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = (await tx.query(
    `select d.id, d.version from document d where ${IN_SCOPE}`,
    scopeParameters({ reader, documentIds }),
  )) as { id: string; version: number }[];
  return new Map(rows.map(({ id, version }) => [id, version]));
}

interface ScopeRow {
  answerable: number;
  pending: string[];
  failed: string[];
  unknown: string[];
  fingerprint: string;
}

/** A sum of hashes, which needs no sorting; `version` counts every change that can alter an answer. */
const FINGERPRINT = `count(*) || ':' || coalesce(sum(hashtextextended(id || ':' || version || ':' || status, 0)), 0)`;

/**
 * SQL for the fingerprint that `findScope` would give now.
 *
 * @param asked a row with the columns `user_id`, `document_ids`, `collection` and `tags`
 */
export const fingerprintNow = (tenant: string, asked: string) =>
  `(select ${FINGERPRINT} from document d
    where ${inScope(tenant, `${asked}.user_id`, `${asked}.document_ids`, `${asked}.collection`, `${asked}.tags`)})`;

const FIND_SCOPE = `
  with visible as (
    select d.id, d.status, d.answerable, d.version from document d where ${IN_SCOPE}
  )
  select
    (select count(*)::int from visible where answerable <> 'none') as answerable,
    array(select id from visible where answerable = 'none' and status in ('queued', 'processing')
          order by id limit $6) as pending,
    array(select id from visible where answerable = 'none' and status = 'failed' order by id limit $6) as failed,
    array(select asked.id from unnest($3::uuid[]) as asked (id)
          where not exists (select from document d
                            where d.tenant_id = $1 and d.id = asked.id
                              and ${mayRead('d', '$2')})
          order by asked.id limit $6) as unknown,
    (select ${FINGERPRINT} from visible) as fingerprint`;
