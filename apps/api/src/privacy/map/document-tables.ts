import type { MappedTable } from './mapped-table.js';

const OF_OWN_DOCUMENT = `t.document_id in (select id from document where tenant_id = $1 and owner_id = $2)`;
/** His documents are gone when an erasure comes to them. */
const OF_REMOVED_DOCUMENT = `t.document_id in (
  select d.document_id from erasure_document d join erasure e on e.tenant_id = d.tenant_id and e.id = d.erasure_id
  where d.tenant_id = $1 and e.user_id = $2)`;
const WITH_DOCUMENT = { with: 'document' } as const;
const DOCUMENTS =
  'deleted one by one with what was made of them; those that are shared go to whom the request names, or too';

/** Of a document: rows that go with it and can be made anew from its file. */
const derived = (table: string, holds: string, parent = 'document'): MappedTable => ({
  table,
  holds,
  erased: { with: parent },
  tenant: 'deleted',
  exported: false,
});

export const DOCUMENT_TABLES: readonly MappedTable[] = [
  derived('passage_sign', 'Signs of the vectors of passages.', 'passage'),
  derived('passage_vector', 'Vectors of passages.', 'passage'),
  derived('passage_embedding_*', 'Vectors of passages, where the database has a type for them.', 'passage'),
  derived('posting', 'Which words stand in which passages.', 'passage'),
  {
    table: 'passage',
    holds: 'The text of documents, in passages.',
    of: OF_OWN_DOCUMENT,
    erased: WITH_DOCUMENT,
    tenant: 'deleted',
    exported: true,
  },
  derived('job_part', 'What was read of a part of a document so far.'),
  derived('job_stage', 'How far the processing of a document is.'),
  derived('job', 'The processing of a document.'),
  {
    table: 'document_insight',
    holds: 'Kind, summary and facts of documents.',
    of: OF_OWN_DOCUMENT,
    erased: WITH_DOCUMENT,
    tenant: 'deleted',
    exported: true,
  },
  derived('fact_reading', 'What a model has read of a document.'),
  derived('document_generation', 'Other generations of the passages of a document.'),
  derived('document_password', 'The password of a protected file, sealed, until it has been read.'),
  derived('document_attachment', 'Which documents came inside which.'),
  {
    table: 'document_grant',
    holds: 'With whom documents are shared.',
    of: `t.user_id = $2`,
    erased: 'deleted',
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'collection_grant',
    holds: 'With whom collections are shared.',
    of: `t.user_id = $2`,
    erased: 'deleted',
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'document_collection',
    holds: 'Names of collections, and who may see them.',
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'import_item',
    holds: 'Files and addresses of an import, and what became of them.',
    of: `t.batch_id in (select id from import_batch where tenant_id = $1 and owner_id = $2)`,
    erased: { with: 'import_batch' },
    tenant: 'deleted',
    exported: true,
    secrets: ['archive_sha256', 'claim_id', 'worker_id', 'lease_until'],
  },
  {
    table: 'import_batch',
    holds: 'Imports of many files.',
    of: `t.owner_id = $2`,
    erased: { step: 'ended and deleted, with archives that wait to be unpacked' },
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'reindex_item',
    holds: 'Documents of an order to make them anew.',
    of: OF_REMOVED_DOCUMENT,
    erased: 'deleted',
    tenant: 'deleted',
    exported: false,
  },
  {
    table: 'reindex',
    holds: 'Orders to make documents anew.',
    unlinked: [{ set: 'created_by = $3, reason = null', where: 't.created_by = $2' }],
    tenant: 'deleted',
    exported: false,
  },
  {
    table: 'document',
    holds: 'Documents: titles, names of files, owners, and where their files lie.',
    of: `t.owner_id = $2`,
    erased: { step: DOCUMENTS },
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'turn',
    holds: 'Questions and their answers, with quotes.',
    of: `t.conversation_id in (select id from conversation where tenant_id = $1 and owner_id = $2)`,
    erased: 'deleted',
    tenant: 'deleted',
    exported: true,
  },
  {
    table: 'conversation',
    holds: 'Conversations.',
    of: `t.owner_id = $2`,
    erased: 'deleted',
    tenant: 'deleted',
    exported: true,
  },
];
