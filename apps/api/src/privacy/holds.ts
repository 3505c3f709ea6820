import type { EntityManager } from 'typeorm';
import { type Hold, LegalHolds, refuseUnder } from '#libs/audit';

const legalHolds = new LegalHolds();

/*
 * For whoever is about to erase, in the same transaction: until it ends, no hold can be placed in the tenant.
 */

/** Holds on the person, on one of his documents or its collection, or on the whole tenant. @throws LegalHoldInForce */
export async function assertMayErase(tx: EntityManager, tenantId: string, userId: string): Promise<void> {
  await legalHolds.keepOut(tx, tenantId);
  const holds = await legalHolds.covering(tx, { tenantId });
  if (holds.length === 0) return;
  const documents = await tx.query<{ id: string; collection: string | null }[]>(
    `select id, collection from document
     where tenant_id = $1 and owner_id = $2 and (id::text = any ($3) or collection = any ($3))`,
    [tenantId, userId, holds.map(({ subject }) => subject ?? '')],
  );
  const covers = (hold: Hold) =>
    hold.scope === 'tenant' ||
    (hold.scope === 'user' && hold.subject === userId) ||
    documents.some((document) => holdsDocument(hold, document));
  refuseUnder(holds.filter(covers));
}

/** Any hold in a tenant forbids deleting it. @throws LegalHoldInForce */
export async function assertMayDeleteTenant(tx: EntityManager, tenantId: string): Promise<void> {
  await legalHolds.assertNone(tx, { tenantId });
}

const holdsDocument = ({ scope, subject }: Hold, document: { id: string; collection: string | null }) =>
  (scope === 'document' && subject === document.id) ||
  (scope === 'collection' && subject === document.collection);
