import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Reader } from '../documents/document.js';
import { priorityOfRank, rankOf } from '../jobs/job.js';
import { notifyDocumentChanged, notifyImportQueued, notifyJobQueued } from '../jobs/notifications.js';
import type { Import, ImportFields, ImportItem, ImportState, ItemState, NewItem } from './import.js';
import { IMPORT, ITEM, TALLY } from './import.sql.js';

/** Who asks, and whether the imports of the others are his to see. */
export interface ImportReader extends Reader {
  seesAll: boolean;
}

/** How many items of an import are in the same state, and their documents too. */
export interface Tally {
  batchId: string;
  state: ItemState;
  isArchive: boolean;
  /** null: there is none, or no more. */
  documentStatus: string | null;
  count: number;
  /** Of the work on them, in items. */
  done: number;
  /** Of `count`, those that came to their end since the import's pace counts. */
  recent: number;
}

/** Where a page of the list ended. The time is PostgreSQL's own text, which keeps its microseconds. */
export interface ImportPosition {
  createdAt: string;
  id: string;
}

/** A request that brings files is believed to have died when none came for so long. */
const RECEIVING = `now() + interval '1 hour'`;

/** All SQL on imports but that of workers. Who changes something locks the import first, and its items after it. */
@Injectable()
export class ImportStore {
  /** False when it is there already. */
  async insert(
    tx: EntityManager,
    { id, ownerId, fields, correlationId, isReceiving }: NewImport,
  ): Promise<boolean> {
    const rows = await tx.query(
      `insert into import_batch (tenant_id, id, owner_id, visibility, collection, tags, priority, correlation_id,
                                 receiving_until)
       values (app_tenant(), $1, $2, $3, $4, $5, $6, $7, case when $8 then ${RECEIVING} end)
       on conflict (tenant_id, id) do nothing returning id`,
      [
        id,
        ownerId,
        fields.visibility,
        fields.collection,
        fields.tags,
        rankOf(fields.priority ?? 'normal'),
        correlationId,
        isReceiving,
      ],
    );
    return rows.length > 0;
  }

  async find(tx: EntityManager, id: string, reader?: ImportReader): Promise<Import | undefined> {
    const [row] = await tx.query(
      `${IMPORT} where b.tenant_id = app_tenant() and b.id = $1 and ($2::uuid is null or b.owner_id = $2)`,
      [id, reader && !reader.seesAll ? reader.userId : undefined],
    );
    return row && importOf(row);
  }

  /** Newest first. */
  async list(
    tx: EntityManager,
    reader: ImportReader,
    after: ImportPosition | undefined,
    limit: number,
  ): Promise<{ batch: Import; position: ImportPosition }[]> {
    const rows: ImportRow[] = await tx.query(
      `${IMPORT}
       where b.tenant_id = app_tenant() and ($1::uuid is null or b.owner_id = $1)
         and ($2::timestamptz is null or (b.created_at, b.id) < ($2, $3::uuid))
       order by b.created_at desc, b.id desc limit $4`,
      [reader.seesAll ? undefined : reader.userId, after?.createdAt, after?.id, limit],
    );
    return rows.map((row) => ({
      batch: importOf(row),
      position: { createdAt: row.position, id: row.id },
    }));
  }

  tally(tx: EntityManager, ids: readonly string[]): Promise<Tally[]> {
    return tx.query(TALLY, [ids]);
  }

  async listItems(
    tx: EntityManager,
    reader: Reader,
    batchId: string,
    { state, after, limit }: { state?: ItemState; after?: number; limit?: number },
  ): Promise<ImportItem[]> {
    return tx.query(
      `${ITEM} where i.tenant_id = app_tenant() and i.batch_id = $2 and ($3::text is null or i.state = $3) and i.ordinal > $4
       order by i.ordinal limit $5`,
      [reader.userId, batchId, state, after ?? -1, limit],
    );
  }

  /** For whoever changes its state: waits until nothing of it is being settled. */
  async lock(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`select from import_batch where tenant_id = app_tenant() and id = $1 for update`, [id]);
  }

  /** For whoever adds items: one at a time, and beside those that are being settled. */
  async lockToAdd(tx: EntityManager, id: string): Promise<ImportState | undefined> {
    const [row] = await tx.query(
      `select state from import_batch where tenant_id = app_tenant() and id = $1 for no key update`,
      [id],
    );
    return row?.state;
  }

  async countItems(tx: EntityManager, id: string): Promise<number> {
    const [row] = await tx.query(
      `select count(*)::int as count from import_item where tenant_id = app_tenant() and batch_id = $1`,
      [id],
    );
    return row.count;
  }

  /** Behind the items that are there; the import is locked. */
  async addItems(tx: EntityManager, batchId: string, items: readonly NewItem[]): Promise<void> {
    const rows = items.map((item) => ({
      kind: item.kind,
      name: item.name,
      url: item.url,
      archive: item.archiveSha256?.toString('hex'),
      entry_index: item.entryIndex,
      size_bytes: item.sizeBytes,
      state: item.accepted ? 'accepted' : item.refused ? 'refused' : 'waiting',
      document_id: item.accepted?.documentId,
      is_repeat: item.accepted?.isRepeat ?? false,
      reason_code: item.refused?.code,
      reason_detail: item.refused?.message.slice(0, 500),
    }));
    await tx.query(
      `insert into import_item (tenant_id, batch_id, ordinal, kind, name, url, archive_sha256, entry_index,
                                size_bytes, state, document_id, is_repeat, reason_code, reason_detail, settled_at)
       select app_tenant(), $1, last.ordinal + row_number() over (order by place), g.kind, g.name, g.url,
              decode(g.archive, 'hex'), g.entry_index, g.size_bytes, g.state, g.document_id, g.is_repeat,
              g.reason_code, g.reason_detail, case when g.state <> 'waiting' then now() end
       from rows from (jsonb_to_recordset($2::jsonb) as (
              kind text, name text, url text, archive text, entry_index int, size_bytes bigint, state text,
              document_id uuid, is_repeat boolean, reason_code text, reason_detail text))
            with ordinality as g (kind, name, url, archive, entry_index, size_bytes, state, document_id,
                                  is_repeat, reason_code, reason_detail, place)
       cross join (select coalesce(max(ordinal), -1) as ordinal from import_item where tenant_id = app_tenant() and batch_id = $1) last`,
      [batchId, JSON.stringify(rows)],
    );
    await Promise.all([notifyImportQueued(tx), notifyDocumentChanged(tx, batchId)]);
  }

  /** More files may come for a while, or no more. */
  async setReceiving(tx: EntityManager, id: string, isReceiving: boolean): Promise<void> {
    await tx.query(
      `update import_batch set receiving_until = case when $2 then ${RECEIVING} end where tenant_id = app_tenant() and id = $1`,
      [id, isReceiving],
    );
    await notifyImportQueued(tx);
  }

  async setState(tx: EntityManager, id: string, state: ImportState): Promise<void> {
    await tx.query(
      `update import_batch set state = $2, rate_since = now() where tenant_id = app_tenant() and id = $1`,
      [id, state],
    );
    await Promise.all([notifyImportQueued(tx), notifyDocumentChanged(tx, id)]);
  }

  /** Nothing of it that waits is begun; returns the archives that nobody may need any more. */
  async cancelItems(tx: EntityManager, id: string): Promise<Buffer[]> {
    const [rows]: [{ sha256: Buffer | null }[]] = await tx.query(
      `update import_item set state = 'cancelled', claim_id = null, worker_id = null, lease_until = null,
              settled_at = now()
       where tenant_id = app_tenant() and batch_id = $1 and state in ('waiting', 'running') returning archive_sha256 as sha256`,
      [id],
    );
    const hashes = new Map(rows.flatMap(({ sha256 }) => (sha256 ? [[sha256.toString('hex'), sha256]] : [])));
    return [...hashes.values()];
  }

  /** The queued jobs of the documents that it made run no more until they are given back, though their turn comes. */
  async holdJobs(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `update job j set run_at = 'infinity' from import_item i
       where i.tenant_id = app_tenant() and i.batch_id = $1 and not i.is_repeat and j.tenant_id = i.tenant_id and i.document_id = j.document_id and j.state = 'queued'`,
      [id],
    );
  }

  async releaseJobs(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `update job j set run_at = now() from import_item i
       where i.tenant_id = app_tenant() and i.batch_id = $1 and not i.is_repeat and j.tenant_id = i.tenant_id and i.document_id = j.document_id and j.run_at = 'infinity'`,
      [id],
    );
    await notifyJobQueued(tx);
  }

  /** Documents that it made and that are not done; those that are worked on first. */
  async listOpenDocuments(tx: EntityManager, id: string): Promise<string[]> {
    const rows: { id: string }[] = await tx.query(
      `select d.id from import_item i join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
       where i.tenant_id = app_tenant() and i.batch_id = $1 and not i.is_repeat and d.status in ('queued', 'processing', 'needs_review')
       order by d.status = 'processing' desc, i.ordinal`,
      [id],
    );
    return rows.map((row) => row.id);
  }
}

export interface NewImport {
  id: string;
  ownerId: string;
  fields: ImportFields;
  correlationId: string | undefined;
  isReceiving: boolean;
}

type ImportRow = Omit<Import, 'priority'> & { priorityRank: number; position: string };

function importOf({ position: _, priorityRank, ...batch }: ImportRow): Import {
  return { ...batch, priority: priorityOfRank(priorityRank) };
}
