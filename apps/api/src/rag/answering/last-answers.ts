import type { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { type AnswerCache, type KeptAnswer, stillHolds } from './answer-cache.js';
import type { Asked } from './asked.js';
import type { DeletedDocuments } from './deleted-documents.js';
import { findVersions } from './scope.store.js';
import type { Withdrawals } from './withdrawals.js';

/** Finds the last good answer to a question, if all that it rests on is still so, as far as anybody can be asked. */
export class LastAnswers {
  constructor(
    private readonly db: Pick<TenantDb, 'read'>,
    private readonly cache: AnswerCache,
    private readonly deleted: Pick<DeletedDocuments, 'hasAny'>,
    private readonly withdrawals: Pick<Withdrawals, 'concern'>,
  ) {}

  async find({ request, scope }: Asked): Promise<KeptAnswer | undefined> {
    const last = await this.cache.findLast(request);
    if (!last) return undefined;
    const { reader } = request;
    const documentIds = documentsOf(last);
    try {
      if ('away' in scope) throw scope.away;
      const { fingerprint } = scope;
      const visible = await this.db.read(reader.tenantId, (tx) => findVersions(tx, reader, documentIds));
      if (!stillHolds(last, { fingerprint, visible })) {
        await this.cache.forgetLast(request);
        return undefined;
      }
      return last.fingerprint === fingerprint ? last : { ...last, results: shown(last, visible) };
    } catch (error) {
      if (!isAway(error)) throw error;
      const isGone = await Promise.all([
        this.deleted.hasAny(reader.tenantId, documentIds),
        this.withdrawals.concern(reader, { documentIds, asOf: last.asOf }),
      ]);
      return isGone.includes(true) ? undefined : last;
    }
  }
}

/** Those that it quotes, and those that were found with them: their titles are told too. */
const documentsOf = ({ cited, results }: KeptAnswer) => [
  ...new Set([...cited, ...results].map(({ documentId }) => documentId)),
];

/** What was found besides the quotes, but may not be seen any more, is not told again. */
const shown = ({ results }: KeptAnswer, visible: ReadonlyMap<string, number>) =>
  results.filter(({ documentId }) => visible.has(documentId));

/** The database, which is all that a scope is read from, cannot be asked. */
export const isAway = (error: unknown) =>
  error instanceof DomainError && (error.kind === 'unavailable' || error.kind === 'timeout');
