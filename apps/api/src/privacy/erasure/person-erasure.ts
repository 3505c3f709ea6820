import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog, INSTALLATION, PersonalData, systemActor } from '#libs/audit';
import { Caches } from '#libs/cache';
import { TenantDb } from '#libs/database';
import { MailOutbox, MailTransport } from '../../auth/index.js';
import { DocumentRemoval } from '../../ingestion/index.js';
import { ANSWER_CACHES, DeletedDocuments } from '../../rag/index.js';
import { PrivacyExports } from '../exports/privacy-exports.js';
import { DATA_MAP } from '../map/data-map.js';
import { redactAnswers } from './answer-redaction.js';
import type { ErasureRun } from './erasure.js';
import {
  forgetFiles,
  getRun,
  listFiles,
  nextDocument,
  noteRemoved,
  transferDocuments,
  withholdDocuments,
} from './erasure.store.js';
import { assertMayErase } from '../holds.js';
import { personSteps } from './map-steps.js';
import { type ClaimedRun, type Counts, finish } from './run.store.js';
import { type Step, type StepDone, type SteppedWork } from './step-runner.js';

const FILES_AT_ONCE = 50;
const PASSAGES_AT_ONCE = 2_000;

/** How a person is forgotten, step by step: what is his goes first, what leads to him after it, then he himself, and last the copies. */
@Injectable()
export class PersonErasure implements SteppedWork<ErasureRun> {
  readonly table = 'erasure';
  readonly steps: readonly Step<ErasureRun>[] = [
    { name: 'imports', work: (tx, run) => this.removeImports(tx, run) },
    { name: 'withhold', work: (tx, run) => withholdDocuments(tx, run).then(() => ({})) },
    { name: 'documents', work: (tx, run) => this.removeDocument(tx, run) },
    { name: 'transfer', work: (tx, run) => this.transfer(tx, run) },
    { name: 'answers', work: (tx, run) => redactAnswers(tx, run) },
    { name: 'files', work: (tx, run) => this.removeFiles(tx, run) },
    { name: 'caches', work: (_, run) => this.forgetAnswers(run) },
    ...personSteps(DATA_MAP),
    { name: 'mail', work: (tx, run) => this.removeMail(tx, run) },
    { name: 'audit', work: (tx, run) => this.eraseInAudit(tx, run) },
    { name: 'account', work: (tx, run) => this.removeAccount(tx, run) },
    // A copy that is begun from now on has nothing of him.
    { name: 'exports', work: (tx, run) => this.exports.removeOf(tx, run) },
    { name: 'receipt', work: (tx, run) => this.leaveReceipt(tx, run) },
  ];

  constructor(
    private readonly db: TenantDb,
    private readonly removal: DocumentRemoval,
    private readonly deleted: DeletedDocuments,
    private readonly caches: Caches,
    private readonly outbox: MailOutbox,
    private readonly transport: MailTransport,
    private readonly exports: PrivacyExports,
    private readonly personalData: PersonalData,
    private readonly audit: AuditLog,
  ) {}

  async begin(claimed: ClaimedRun): Promise<ErasureRun> {
    return this.db.read(claimed.tenantId, (tx) => getRun(tx, claimed));
  }

  assertAllowed(tx: EntityManager, { tenantId, userId }: ErasureRun): Promise<void> {
    return assertMayErase(tx, tenantId, userId);
  }

  transact<T>({ tenantId }: ClaimedRun, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.db.run(tenantId, work);
  }

  private async removeImports(tx: EntityManager, { tenantId, id, userId }: ErasureRun): Promise<StepDone> {
    await tx.query(
      `insert into erasure_file (tenant_id, erasure_id, sha256)
       select distinct $1::uuid, $2::uuid, i.archive_sha256
       from import_item i join import_batch b on b.tenant_id = i.tenant_id and b.id = i.batch_id
       where i.tenant_id = $1 and b.owner_id = $3 and i.archive_sha256 is not null on conflict do nothing`,
      [tenantId, id, userId],
    );
    const items = await countedDelete(
      tx,
      `delete from import_item where tenant_id = $1
         and batch_id in (select id from import_batch where tenant_id = $1 and owner_id = $2)`,
      [tenantId, userId],
    );
    const batches = await countedDelete(
      tx,
      `delete from import_batch where tenant_id = $1 and owner_id = $2`,
      [tenantId, userId],
    );
    return { counts: { import_item: items, import_batch: batches } };
  }

  /** One for each transaction, because a long one takes a while. */
  private async removeDocument(tx: EntityManager, run: ErasureRun): Promise<StepDone> {
    const id = await nextDocument(tx, run);
    if (!id) return {};
    await this.removal.lock(tx, id);
    const passages = await this.removePassages(tx, run.tenantId, id);
    if (passages === PASSAGES_AT_ONCE) return { counts: { passage: passages }, more: true };
    const derived = { ...(await countDerived(tx, run.tenantId, id)), passage: passages };
    const removed = await this.removal.remove(tx, id);
    const ids = [...new Set([id, ...removed.map((document) => document.id)])];
    const files = new Map(removed.map(({ sha256 }) => [sha256.toString('hex'), sha256]));
    await noteRemoved(tx, run, ids, [...files.values()]);
    for (const each of ids) await this.deleted.add(run.tenantId, each);
    return { counts: { ...derived, document: removed.length }, more: true };
  }

  /** A document may have more of them than one statement can remove in its time. */
  private removePassages(tx: EntityManager, tenantId: string, documentId: string): Promise<number> {
    return countedDelete(
      tx,
      `delete from passage where ctid = any (array(
         select ctid from passage where tenant_id = $1 and document_id = $2 limit ${PASSAGES_AT_ONCE}))`,
      [tenantId, documentId],
    );
  }

  private async transfer(tx: EntityManager, run: ErasureRun): Promise<StepDone> {
    return { counts: { 'document (transferred)': await transferDocuments(tx, run) } };
  }

  /** Their rows are gone and committed. A file that was removed before a crash is removed once more, to no effect. */
  private async removeFiles(tx: EntityManager, run: ErasureRun): Promise<StepDone> {
    const files = await listFiles(tx, run, FILES_AT_ONCE);
    for (const file of files) await this.removal.releaseContent(tx, run.tenantId, file);
    await forgetFiles(tx, run, files);
    return { counts: { 'file (released)': files.length }, more: files.length === FILES_AT_ONCE };
  }

  private async forgetAnswers({ tenantId }: ErasureRun): Promise<StepDone> {
    await this.caches.forgetTenant(tenantId, ANSWER_CACHES);
    return {};
  }

  private async removeMail(tx: EntityManager, { tenantId, userId }: ErasureRun): Promise<StepDone> {
    const [user] = await tx.query<{ email: string }[]>(
      `select email from app_user where tenant_id = $1 and id = $2`,
      [tenantId, userId],
    );
    if (!user) return {};
    await this.transport.forget(user.email);
    const mails = await this.outbox.removeTo(tx, tenantId, user.email);
    const ofStrangers = await this.db.run(INSTALLATION, async (other) => {
      const count = await countedDelete(other, `delete from sign_up where tenant_id = $1 and email = $2`, [
        INSTALLATION,
        user.email,
      ]);
      return { sign_up: count, mails: await this.outbox.removeTo(other, INSTALLATION, user.email) };
    });
    return { counts: { mail_outbox: mails + ofStrangers.mails, sign_up: ofStrangers.sign_up } };
  }

  private async eraseInAudit(tx: EntityManager, { tenantId, userId }: ErasureRun): Promise<StepDone> {
    const { commitments } = await this.personalData.erase(tx, tenantId, userId);
    return { counts: { 'audit_pii (values)': commitments } };
  }

  private async removeAccount(tx: EntityManager, { tenantId, userId }: ErasureRun): Promise<StepDone> {
    const users = await countedDelete(tx, `delete from app_user where tenant_id = $1 and id = $2`, [
      tenantId,
      userId,
    ]);
    return { counts: { app_user: users } };
  }

  /** The receipt and the event that tells of it, all or nothing. */
  private async leaveReceipt(tx: EntityManager, run: ErasureRun): Promise<StepDone> {
    const { tenantId, id, userId } = run;
    await tx.query(`delete from erasure_document where tenant_id = $1 and erasure_id = $2`, [tenantId, id]);
    const counts = await finish(tx, this.table, run);
    await this.audit.append(tx, {
      action: 'privacy.erased',
      category: 'admin',
      actor: systemActor(tenantId),
      targets: [
        { type: 'user', id: userId },
        { type: 'erasure', id },
      ],
      outcome: 'success',
      context: {},
      detail: { counts },
    });
    return {};
  }
}

/** How much goes with a document. */
async function countDerived(tx: EntityManager, tenantId: string, documentId: string): Promise<Counts> {
  const rows = await tx.query<{ table: string; count: number }[]>(COUNT_DERIVED, [tenantId, documentId]);
  return Object.fromEntries(rows.map(({ table, count }) => [table, count]));
}

const COUNT_DERIVED = DATA_MAP.filter(
  ({ table, erased }) =>
    !table.endsWith('*') && typeof erased === 'object' && 'with' in erased && erased.with === 'document',
)
  .map(
    ({ table }) =>
      `select '${table}' as table, count(*)::int as count from ${table} where tenant_id = $1 and document_id = $2`,
  )
  .join(' union all ');

async function countedDelete(tx: EntityManager, sql: string, parameters: unknown[]): Promise<number> {
  const [, count] = await tx.query<[unknown, number]>(sql, parameters);
  return count;
}
