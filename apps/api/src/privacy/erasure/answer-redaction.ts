import type { EntityManager } from 'typeorm';
import type { PersonRun } from './map-steps.js';
import type { Counts } from './run.store.js';

/** Why an answer is not there any more, as whoever asked is told. */
export const SOURCE_ERASED = 'source-erased';
const BATCH = 500;

/**
 * Empties answers that others were given from documents of an erasure: they quote them. The question stays with whoever
 * asked it. Also forgets what was answered under an Idempotency-Key, which may hold such an answer.
 */
export async function redactAnswers(
  tx: EntityManager,
  { tenantId, id, userId }: PersonRun,
): Promise<{ counts: Counts; more: boolean }> {
  const [, turns] = await tx.query<[unknown, number]>(
    `update turn set status = 'failed', error_code = '${SOURCE_ERASED}', served_by = null, service_level = null,
            answer = '{"text": "", "citations": []}', search_results = '[]', finished_at = coalesce(finished_at, now())
     where tenant_id = $1 and id in (
       select t.id from turn t join conversation c on c.tenant_id = t.tenant_id and c.id = t.conversation_id
       where t.tenant_id = $1 and c.owner_id <> $3 and ${cites('jsonb_build_array(t.answer, t.search_results)', 'documentId')}
       limit ${BATCH})`,
    [tenantId, id, userId],
  );
  await tx.query(
    `delete from idempotent_request r where r.tenant_id = $1 and ${cites('r.body', 'document_id')}`,
    [tenantId, id],
  );
  return { counts: { 'turn (emptied)': turns }, more: turns === BATCH };
}

/** Whether a JSON value names, under a key, a document of the erasure `$2`. */
const cites = (json: string, key: string) => `exists (
  select from jsonb_path_query(${json}, 'strict $.**.${key}') cited
  join erasure_document e on e.tenant_id = $1 and e.erasure_id = $2 and e.document_id::text = cited #>> '{}')`;
