import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { Withdrawals } from '../../rag/index.js';
import { AttachmentStore } from '../documents/attachment.store.js';
import type { Document } from '../documents/document.js';
import { DocumentStore } from '../documents/document.store.js';
import { DocumentsService } from '../documents/documents.service.js';
import { SharingNotAllowed } from '../ingestion.errors.js';
import { JobStore } from '../jobs/job.store.js';
import { notifyDocumentChanged } from '../jobs/notifications.js';
import { findCollection } from './collection.store.js';
import { COLLECTION_GRANTS, DOCUMENT_GRANTS, listGrants, replaceGrants } from './grant.store.js';
import { type CollectionVisibility, compareSharing, type NamedGrantee, type Sharing } from './sharing.js';
import { AttachmentNotSharedAlone, NoCollection } from './sharing.errors.js';

/** How a document is shared, and what comes of that where its collection has the say. */
export interface DocumentSharing extends Sharing {
  effective: CollectionVisibility;
  collection: string | null;
  /** Its own, or those of its collection. */
  grants: NamedGrantee[];
}

/**
 * Who else may read a document. Its owner says so, and those who manage the tenant's documents where they may see it;
 * to show it to the whole tenant needs the permission `document.share` in any case.
 */
@Injectable()
export class DocumentSharingService {
  constructor(
    private readonly db: TenantDb,
    private readonly service: DocumentsService,
    private readonly documents: DocumentStore,
    private readonly attachments: AttachmentStore,
    private readonly jobs: JobStore,
    private readonly withdrawals: Withdrawals,
  ) {}

  /** @throws DocumentNotFound, NotYourDocument */
  get(principal: Principal, id: string): Promise<DocumentSharing> {
    return this.db.read(principal.tenantId, async (tx) =>
      sharingOf(tx, await this.service.getOwn(tx, principal, id)),
    );
  }

  /**
   * From the commit on, and with everything that came inside the document.
   *
   * @throws DocumentNotFound, NotYourDocument, SharingNotAllowed, AttachmentNotSharedAlone, NoCollection,
   * GranteesNotFound
   */
  set(principal: Principal, id: string, sharing: Sharing): Promise<DocumentSharing> {
    const { tenantId } = principal;
    return this.db.change(tenantId, async (tx) => {
      // Files inside it become documents under this lock, and are shared as it is at that moment.
      const ids = await this.lockAll(tx, id);
      const document = await this.service.getOwn(tx, principal, id);
      assertShareable(principal, document, sharing);
      const { visibility } = sharing;
      const before = { visibility: document.visibility, grants: await listGrants(tx, DOCUMENT_GRANTS, id) };
      await this.documents.setVisibility(tx, id, visibility);
      await replaceGrants(tx, DOCUMENT_GRANTS, { tenantId, of: id }, sharing.grants);
      await this.attachments.shareInner(tx, [id]);
      const { granted, revoked, takesAway } = compareSharing(before, sharing);
      auditDetail({
        targets: [{ type: 'document', id }],
        detail: { from: before.visibility, to: visibility, granted, revoked, documents: ids.length },
      });
      if (takesAway)
        await this.withdrawals.add(
          tenantId,
          ids.map((documentId) => ({ documentId })),
        );
      await notifyDocumentChanged(tx, ...ids);
      return sharingOf(tx, { ...document, visibility });
    });
  }

  /** It and what came inside it. */
  private async lockAll(tx: EntityManager, id: string): Promise<string[]> {
    await this.jobs.lock(tx, id);
    const ids = [id];
    for (const child of await this.attachments.listInner(tx, [id]))
      ids.push(...(await this.lockAll(tx, child)));
    return ids;
  }
}

function assertShareable(principal: Principal, document: Document, { visibility }: Sharing): void {
  const mayShare = principalAllows(principal, 'document.share');
  if (visibility === 'tenant' && document.visibility !== 'tenant' && !mayShare) throw new SharingNotAllowed();
  if (document.parentId !== null) throw new AttachmentNotSharedAlone(document.parentId);
  if (visibility === 'collection' && document.collection === null) throw new NoCollection();
}

async function sharingOf(
  tx: EntityManager,
  { id, visibility, collection }: Pick<Document, 'id' | 'visibility' | 'collection'>,
): Promise<DocumentSharing> {
  if (visibility !== 'collection' || collection === null) {
    const effective = visibility === 'collection' ? 'private' : visibility;
    return { visibility, effective, collection, grants: await listGrants(tx, DOCUMENT_GRANTS, id) };
  }
  const effective = (await findCollection(tx, collection))?.visibility ?? 'private';
  return { visibility, effective, collection, grants: await listGrants(tx, COLLECTION_GRANTS, collection) };
}
