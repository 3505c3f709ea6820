import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog, INSTALLATION, PersonalData, systemActor } from '#libs/audit';
import { Caches } from '#libs/cache';
import { TenantDb } from '#libs/database';
import { Exports } from '#libs/exports';
import { MailTransport } from '../../auth/index.js';
import { BlobStore } from '../../ingestion/index.js';
import { ANSWER_CACHES } from '../../rag/index.js';
import { assertMayDeleteTenant } from '../holds.js';
import { tenantSteps } from '../erasure/map-steps.js';
import { addCounts, type ClaimedRun, finish } from '../erasure/run.store.js';
import { LEASE_MS, type Step, type StepDone, type SteppedWork } from '../erasure/step-runner.js';
import { DATA_MAP } from '../map/data-map.js';
import { isOf } from '../map/mapped-table.js';

const PEOPLE_AT_ONCE = 100;
/** They need more than to be deleted, and go last. */
const LAST = ['app_user', 'tenant'];

/** How a tenant goes: its rows table by table, its people, its files, and last its name. Its audit log stays. */
@Injectable()
export class TenantErasure implements SteppedWork<ClaimedRun> {
  readonly table = 'tenant_deletion';
  readonly steps: readonly Step<ClaimedRun>[] = [
    ...tenantSteps(DATA_MAP.filter(({ table }) => !LAST.includes(table) && !table.endsWith('*'))),
    { name: 'people', work: (tx, run) => this.removePeople(tx, run) },
    { name: 'files', work: (_, run) => this.removeFiles(run) },
    { name: 'tenant', work: (tx, run) => this.removeTenant(tx, run) },
  ];

  constructor(
    private readonly db: TenantDb,
    private readonly blobs: BlobStore,
    private readonly exports: Exports,
    private readonly caches: Caches,
    private readonly transport: MailTransport,
    private readonly personalData: PersonalData,
    private readonly audit: AuditLog,
  ) {}

  async begin(claimed: ClaimedRun): Promise<ClaimedRun> {
    return claimed;
  }

  assertAllowed(tx: EntityManager, { tenantId }: ClaimedRun): Promise<void> {
    return assertMayDeleteTenant(tx, tenantId);
  }

  /** The tenant's rows are seen by its id, the row of the run by the scope. */
  transact<T>({ tenantId }: ClaimedRun, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.db.changeAsOperator(tenantId, work);
  }

  private async removePeople(tx: EntityManager, { tenantId }: ClaimedRun): Promise<StepDone> {
    const people = await tx.query<{ id: string; email: string }[]>(
      `select id, email from app_user where tenant_id = $1 order by id limit ${PEOPLE_AT_ONCE}`,
      [tenantId],
    );
    let values = 0;
    for (const { id, email } of people) {
      await this.transport.forget(email);
      values += (await this.personalData.erase(tx, tenantId, id)).commitments;
    }
    await tx.query(`delete from app_user where tenant_id = $1 and id = any ($2)`, [
      tenantId,
      people.map(({ id }) => id),
    ]);
    return {
      counts: { app_user: people.length, 'audit_pii (values)': values },
      more: people.length === PEOPLE_AT_ONCE,
    };
  }

  private async removeFiles({ tenantId }: ClaimedRun): Promise<StepDone> {
    await this.blobs.deleteTenant(tenantId);
    await this.exports.removeFiles(tenantId);
    await this.caches.forgetTenant(tenantId, ANSWER_CACHES);
    return {};
  }

  /** The tenant, the receipt and the event that tells of it, all or nothing. */
  private async removeTenant(tx: EntityManager, run: ClaimedRun): Promise<StepDone> {
    const { tenantId, id } = run;
    await assertNothingLeft(tx, tenantId);
    await tx.query(`delete from tenant where tenant_id = $1`, [tenantId]);
    await addCounts(tx, this.table, run, { tenant: 1 }, LEASE_MS);
    const counts = await finish(tx, this.table, run);
    // The log of the installation, under whose id nobody's rows stand.
    await tx.query(`select set_config('app.tenant', $1, true)`, [INSTALLATION]);
    await this.audit.append(tx, {
      action: 'privacy.erased',
      category: 'admin',
      actor: systemActor(INSTALLATION),
      targets: [
        { type: 'tenant', id: tenantId },
        { type: 'tenant-deletion', id },
      ],
      outcome: 'success',
      context: {},
      detail: { counts },
    });
    return {};
  }
}

/** Whoever still wrote while its rows went has left some: the run is begun again then. */
async function assertNothingLeft(tx: EntityManager, tenantId: string): Promise<void> {
  const tables = await tx.query<{ name: string }[]>(
    `select c.relname as name from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
  );
  for (const { name } of tables) {
    const entry = DATA_MAP.find((each) => isOf(each, name));
    if (name === 'tenant' || (entry && entry.tenant !== 'deleted')) continue;
    const left = await tx.query<unknown[]>(`select from "${name}" where tenant_id = $1 limit 1`, [tenantId]);
    if (left.length > 0) throw new Error(`There are rows of a deleted tenant left in ${name}`);
  }
}
