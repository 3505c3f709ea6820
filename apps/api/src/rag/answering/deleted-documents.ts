import type { Caches } from '#libs/cache';
import { z } from 'zod';

/**
 * Documents that were deleted while answers that cite them may still be kept. It is asked when the database cannot be;
 * kept where the answers are, so that whoever finds an answer finds this too.
 */
export class DeletedDocuments {
  constructor(
    private readonly marks: {
      forTenant(tenantId: string): {
        get(key: string): Promise<true | undefined>;
        set(key: string, value: true): Promise<void>;
      };
    },
  ) {}

  static on(caches: Caches, { staleAnswerSeconds }: { staleAnswerSeconds: number }): DeletedDocuments {
    const ttlSeconds = Math.max(1, staleAnswerSeconds);
    return new DeletedDocuments(caches.named('deleted-documents', { ttlSeconds, schema: z.literal(true) }));
  }

  add(tenantId: string, documentId: string): Promise<void> {
    return this.marks.forTenant(tenantId).set(documentId, true);
  }

  async hasAny(tenantId: string, documentIds: readonly string[]): Promise<boolean> {
    const marks = this.marks.forTenant(tenantId);
    return (await Promise.all(documentIds.map((id) => marks.get(id)))).some(Boolean);
  }
}
