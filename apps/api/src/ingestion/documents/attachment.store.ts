import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** All SQL on what is attached to what. The same file may be attached to several documents, and is one document. */
@Injectable()
export class AttachmentStore {
  /** Harmless when it is linked already. */
  async link(tx: EntityManager, parentId: string, documentId: string): Promise<void> {
    await tx.query(
      `insert into document_attachment (tenant_id, parent_id, document_id) values (app_tenant(), $1, $2)
       on conflict do nothing`,
      [parentId, documentId],
    );
  }

  /** How many documents lie around this one: 0 for what was uploaded by itself. */
  async depth(tx: EntityManager, documentId: string): Promise<number> {
    const [row] = await tx.query(
      `with recursive outer_document (id, depth) as (
         select parent_id, 1 from document where id = $1 and parent_id is not null
         union all
         select d.parent_id, o.depth + 1 from outer_document o join document d on d.id = o.id
         where d.parent_id is not null and o.depth < $2
       )
       select coalesce(max(depth), 0)::int as depth from outer_document`,
      [documentId, MAX_COUNTED_DEPTH],
    );
    return row.depth;
  }

  /** From now on the document is there in its own right. */
  async setUploaded(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`update document set parent_id = null where id = $1 and parent_id is not null`, [
      documentId,
    ]);
  }

  /**
   * Before a document is deleted: takes leave of what is attached to it. Returns those that came only with it; what
   * came with something else as well belongs to that from now on.
   */
  async release(tx: EntityManager, parentId: string): Promise<string[]> {
    await tx.query(
      `update document d set parent_id = other.parent_id
       from (select distinct on (document_id) document_id, parent_id
             from document_attachment where parent_id <> $1 order by document_id, parent_id) other
       where d.parent_id = $1 and other.document_id = d.id`,
      [parentId],
    );
    const rows: { id: string }[] = await tx.query(
      `select id from document where parent_id = $1 order by id`,
      [parentId],
    );
    return rows.map((row) => row.id);
  }
}

/** Far above what may be nested. */
const MAX_COUNTED_DEPTH = 20;
