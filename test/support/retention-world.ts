import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditRetention, listRetirements } from '#libs/audit';
import { judgeByBoth } from './audit-verifiers.js';
import { anchorsOf, appendOld, archiveAfter, auditWorld, keepAuditFor } from './audit-world.js';

export type RetentionWorld = Awaited<ReturnType<typeof retentionWorld>>;

/** An audit log whose old events leave it when the test says so, into `folder`. */
export async function retentionWorld() {
  const world = await auditWorld();
  const folder = await mkdtemp(join(tmpdir(), 'navigator-retired-'));
  const retention = new AuditRetention(world.sealerDb, world.log, world.keys, folder, { runs: false });

  const sealAndSign = async () => {
    await world.sealAll();
    await world.sealer.publish();
  };
  /** One that keeps its log for so many days; null: for ever. */
  const tenant = async (days: number | null = 30) => {
    const { tenantId, userId } = await world.db.createTenant();
    if (days !== null) await keepAuditFor(world.db, tenantId, days);
    return { tenantId, userId };
  };
  /** As the program does, as often as it takes. */
  const retireAll = async () => {
    for (let step = 0; step < 3; step++) {
      await retention.advance();
      await sealAndSign();
    }
  };
  /** Of the events that are still there. */
  const placesOf = async (tenantId: string) =>
    (
      await world.db.owner.query<{ place: number }>(
        `select l.leaf_index::int as place from audit_event e
         join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id where e.tenant_id = $1 order by 1`,
        [tenantId],
      )
    ).rows.map(({ place }) => place);
  /** What both verifiers say after a change that a superuser takes back. */
  const verdicts = async (change?: Parameters<typeof archiveAfter>[1]) =>
    (
      await judgeByBoth(
        [await archiveAfter(world, change)],
        world.keys,
        await anchorsOf(world),
        world.anchorFile,
      )
    )[0]!;

  return {
    world,
    folder,
    retention,
    sealAndSign,
    tenant,
    retireAll,
    placesOf,
    verdicts,
    appendOld: (tenantId: string, daysAgo: number, count: number, actorId?: string) =>
      appendOld(world.db, tenantId, { daysAgo, count, actorId }),
    retireNow: (tenantId: string, eventId: string) =>
      world.sealerDb.run(tenantId, (tx) => tx.query('select audit_retire($1)', [eventId])),
    newestTombstone: async (tenantId: string) =>
      (await world.db.tenantDb.run(tenantId, (tx) => listRetirements(tx, tenantId, 1)))[0]!,
    async close() {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
