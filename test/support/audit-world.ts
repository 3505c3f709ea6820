import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AnchoredCheckpoint,
  type ArchiveRecord,
  AuditKeys,
  AuditLog,
  AuditRetention,
  AuditSpool,
  FileAnchor,
  PersonalData,
  Sealer,
  systemActor,
} from '#libs/audit';
import { ensureSealerRole, openPool, TenantDb, uuidv7, withClient } from '#libs/database';
import { SealingKey } from '#libs/secrets';
import { auditBody } from '../../libs/audit/src/event/audit-body.js';
import { auditInsertion } from '../../libs/audit/src/event/event-insertion.js';
import { readArchiveWithin } from '../../libs/audit/src/verify/index.js';
import { until } from './faulty-database.js';
import { testDatabase, type TestDatabase, withoutPolicy } from './test-database.js';

export interface AuditWorld {
  db: TestDatabase;
  /** As the role that seals. */
  sealerDb: TenantDb;
  sealerUrl: string;
  log: AuditLog;
  personal: PersonalData;
  keys: AuditKeys;
  sealer: Sealer;
  folder: string;
  keyFile: string;
  anchorFile: string;
  /** So many events of a tenant, in one transaction. */
  append(tenantId: string, count?: number): Promise<void>;
  /** Until no event is without its place. */
  sealAll(): Promise<void>;
  close(): Promise<void>;
}

/** Sealed by a key that nobody keeps. */
export const personalData = () => new PersonalData(new SealingKey(randomBytes(32)));

/** An audit log on a database of its own, sealed when the test says so. */
export async function auditWorld(): Promise<AuditWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-audit-'));
  const [keyFile, anchorFile] = [join(folder, 'keys.json'), join(folder, 'checkpoints.ndjson')];
  const db = await testDatabase();
  const sealerUrl = await withClient(db.url, (owner) => ensureSealerRole(owner, db.url));
  const sealerSource = await openPool(sealerUrl, 4);
  const sealerDb = new TenantDb(sealerSource, 30_000, withoutPolicy);
  const personal = personalData();
  const log = new AuditLog(db.tenantDb, new AuditSpool(join(folder, 'spool')), personal);
  const keys = await AuditKeys.loadOrCreate(keyFile);
  const options = { runs: false, checkpointMs: 0 };
  const sealer = new Sealer(sealerDb, keys, [new FileAnchor(anchorFile)], options);
  return {
    db,
    sealerDb,
    sealerUrl,
    log,
    personal,
    keys,
    sealer,
    folder,
    keyFile,
    anchorFile,
    append: (tenantId, count = 1) =>
      db.tenantDb.run(tenantId, async (tx) => {
        const records = Array.from({ length: count }, (_, i) => ({
          action: 'thing.change',
          category: 'data.write' as const,
          actor: systemActor(tenantId),
          targets: [{ type: 'thing', id: `thing-${i}` }],
          outcome: 'success' as const,
          context: {},
          detail: { size_bytes: i },
        }));
        await Promise.all(records.map((record) => log.append(tx, record)));
      }),
    sealAll: () =>
      // Transactions of other tests on the same server hold it up.
      until(async () => {
        await sealer.seal();
        const { rows } = await db.owner.query(
          `select from audit_event e
           where not exists (select from audit_leaf l where l.tenant_id = e.tenant_id and l.event_id = e.id) limit 1`,
        );
        return rows.length === 0;
      }),
    async close() {
      await sealerSource.destroy();
      await db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Three tenants with events over six checkpoints, trees of more than one tile among them, and a fourth from whose log old
 * events have left. Returns their ids.
 */
export async function furnish(world: AuditWorld): Promise<string[]> {
  const tenants: string[] = [];
  for (let i = 0; i < 4; i++) tenants.push((await world.db.createTenant()).tenantId);
  for (const [tenant, count] of [
    [0, 120],
    [1, 20],
    [2, 3],
    [0, 150],
    [1, 15],
    [0, 20],
  ] as const) {
    await world.append(tenants[tenant]!, count);
    await world.sealAll();
    await world.sealer.publish();
  }
  await retireSome(world, tenants[3]!);
  return tenants;
}

async function retireSome(world: AuditWorld, tenantId: string): Promise<void> {
  const { db, sealerDb, sealer, keys, log } = world;
  await keepAuditFor(db, tenantId, 30);
  await appendOld(db, tenantId, { daysAgo: 90, count: 270 });
  await world.sealAll();
  await world.append(tenantId, 5);
  const retention = new AuditRetention(sealerDb, log, keys, join(world.folder, 'retired'), {
    runs: false,
  });
  for (let step = 0; step < 2; step++) {
    await world.sealAll();
    await sealer.publish();
    await retention.advance();
  }
  await world.append(tenantId, 4);
  await world.sealAll();
  await sealer.publish();
}

/** How many days the tenant keeps its log. */
export async function keepAuditFor(db: TestDatabase, tenantId: string, days: number): Promise<void> {
  await db.owner.query(
    `update tenant set settings = settings || jsonb_build_object('audit_retention_days', $2::int) where tenant_id = $1`,
    [tenantId, days],
  );
}

/** Events of so many days ago, in one transaction. */
export async function appendOld(
  db: TestDatabase,
  tenantId: string,
  { daysAgo, count, actorId }: { daysAgo: number; count: number; actorId?: string },
): Promise<void> {
  const occurredAt = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  const events = Array.from({ length: count }, (_, i) => ({
    body: auditBody(
      { tenantId, id: uuidv7(), occurredAt },
      {
        action: 'thing.change',
        category: 'data.write',
        actor: actorId ? { type: 'user', tenantId, id: actorId } : systemActor(tenantId),
        targets: [{ type: 'thing', id: `thing-${i}` }],
        outcome: 'success',
        context: {},
        detail: {},
      },
    ),
    rows: [],
  }));
  const { sql, parameters } = auditInsertion(events);
  await db.tenantDb.run(tenantId, (tx) => tx.query(sql, parameters));
}

/** All evidence as it is after a superuser's `change`, which is taken back afterwards. */
export async function archiveAfter(
  world: AuditWorld,
  change?: (query: (sql: string, values?: unknown[]) => Promise<unknown>) => Promise<unknown>,
): Promise<ArchiveRecord[]> {
  const client = await world.db.owner.connect();
  try {
    await client.query('begin');
    for (const table of ['event', 'leaf', 'tile', 'head', 'checkpoint'])
      if (change) await client.query(`alter table audit_${table} disable trigger user`);
    await change?.((sql, values) => client.query(sql, values));
    const read: ArchiveRecord[] = [];
    for await (const record of readArchiveWithin(client)) read.push(record);
    return read;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** What was kept outside of the database. */
export async function anchorsOf({ anchorFile }: AuditWorld): Promise<AnchoredCheckpoint[]> {
  const lines = (await readFile(anchorFile, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as AnchoredCheckpoint);
}
