import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { Withdrawals } from '../../rag/index.js';
import {
  adoptOwn,
  type Collection,
  findCollection,
  listCollections,
  lockCollection,
  setCollectionVisibility,
} from './collection.store.js';
import { COLLECTION_GRANTS, listGrants, replaceGrants } from './grant.store.js';
import { type CollectionVisibility, compareSharing, type NamedGrantee, type Sharing } from './sharing.js';

export interface CollectionSharing extends Sharing<CollectionVisibility> {
  grants: NamedGrantee[];
}

/** Collections, and who may read the documents that look to them. */
@Injectable()
export class CollectionsService {
  constructor(
    private readonly db: TenantDb,
    private readonly withdrawals: Withdrawals,
  ) {}

  list(principal: Principal, place: { afterName?: string; limit: number }): Promise<Collection[]> {
    const { tenantId, userId } = principal;
    const all = principalAllows(principal, 'document.share');
    return this.db.read(tenantId, (tx) => listCollections(tx, { userId, all }, place));
  }

  /** Private, as long as nobody has shared it. */
  getSharing({ tenantId }: Principal, name: string): Promise<CollectionSharing> {
    return this.db.read(tenantId, (tx) => sharingOf(tx, name));
  }

  /**
   * Holds from the commit on for all documents that look to the collection, and for those to come that say nothing
   * else. When it is first shared, the private documents that this person has in it begin to look to it; nobody else's
   * do, because private ones are their owners' to share.
   *
   * @throws GranteesNotFound, TooManyCollections
   */
  setSharing(
    { tenantId, userId }: Principal,
    name: string,
    sharing: Sharing<CollectionVisibility>,
  ): Promise<CollectionSharing> {
    return this.db.change(tenantId, async (tx) => {
      const { visibility, isNew } = await lockCollection(tx, tenantId, name);
      const before = { visibility, grants: await listGrants(tx, COLLECTION_GRANTS, name) };
      await setCollectionVisibility(tx, name, sharing.visibility);
      await replaceGrants(tx, COLLECTION_GRANTS, { tenantId, of: name }, sharing.grants);
      const adopted = isNew ? await adoptOwn(tx, userId, name) : 0;
      const { granted, revoked, takesAway } = compareSharing(before, sharing);
      auditDetail({
        targets: [{ type: 'collection', id: name }],
        detail: { from: visibility, to: sharing.visibility, granted, revoked, adopted },
      });
      if (takesAway) await this.withdrawals.add(tenantId, ['tenant']);
      return sharingOf(tx, name);
    });
  }
}

async function sharingOf(tx: EntityManager, name: string): Promise<CollectionSharing> {
  const { visibility = 'private' } = (await findCollection(tx, name)) ?? {};
  return { visibility, grants: await listGrants(tx, COLLECTION_GRANTS, name) };
}
