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
    const [moved]: [{ id: string }[]] = await tx.query(
      `update document d set parent_id = other.parent_id
       from (select distinct on (document_id) document_id, parent_id
             from document_attachment where parent_id <> $1 order by document_id, parent_id) other
       where d.parent_id = $1 and other.document_id = d.id
       returning d.id`,
      [parentId],
    );
    await this.shareAsParents(
      tx,
      moved.map(({ id }) => id),
    );
    return this.listInner(tx, [parentId]);
  }

  /** What came inside these documents. */
  async listInner(tx: EntityManager, documentIds: readonly string[]): Promise<string[]> {
    const rows: { id: string }[] = await tx.query(
      `select id from document where parent_id = any ($1::uuid[]) order by id`,
      [documentIds],
    );
    return rows.map((row) => row.id);
  }

  /** What came inside these documents is shared as they are. */
  async shareInner(tx: EntityManager, documentIds: readonly string[]): Promise<void> {
    await this.shareAsParents(tx, await this.listInner(tx, documentIds));
  }

  /** Shares documents as those that they came inside of, and in the same way what came inside them. */
  async shareAsParents(tx: EntityManager, documentIds: readonly string[]): Promise<void> {
    if (documentIds.length === 0) return;
    // Of another collection than its parent, it would be shared with others than that one is.
    await tx.query(
      `update document d
       set visibility = case when p.visibility = 'collection' and p.collection is distinct from d.collection
                             then 'private' else p.visibility end
       from document p where d.id = any ($1::uuid[]) and p.id = d.parent_id`,
      [documentIds],
    );
    await tx.query(`delete from document_grant where document_id = any ($1::uuid[])`, [documentIds]);
    await tx.query(
      `insert into document_grant (tenant_id, document_id, user_id, group_id)
       select g.tenant_id, d.id, g.user_id, g.group_id
       from document d join document_grant g on g.tenant_id = d.tenant_id and g.document_id = d.parent_id
       where d.id = any ($1::uuid[])`,
      [documentIds],
    );
    await this.shareInner(tx, documentIds);
  }
}

/** Far above what may be nested. */
const MAX_COUNTED_DEPTH = 20;
