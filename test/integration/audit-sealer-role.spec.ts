import { randomUUID } from 'node:crypto';
import { type ArchiveRecord, FileAnchor, proveEvent, readArchive, Sealer, systemActor } from '#libs/audit';
import { assertTenancyEnforced, connectSealer, migrate, migrateDown, withClient } from '#libs/database';
import { migrations } from '#migrations';
import { judge } from '../support/audit-verifiers.js';
import { anchorsOf, auditWorld, type AuditWorld } from '../support/audit-world.js';
import { everyTable } from '../support/blank-rows.js';

/** Written by the sealer alone. */
const EVIDENCE = [
  ...['audit_anchor', 'audit_checkpoint', 'audit_head', 'audit_leaf', 'audit_retirement', 'audit_seal_state'],
  ...['audit_tile', 'audit_tree'],
];
const RETIRING = ['audit_retire(uuid)', 'audit_held_from(bigint, bigint)', 'audit_tombstone_end(uuid)'];
const [REFUSED, REFUSED_BY_DRIVER] = [{ code: '42501' }, { driverError: { code: '42501' } }];

describe('the login of the program and that of the sealer', () => {
  let world: AuditWorld;
  let tenantId: string;
  beforeAll(async () => {
    world = await auditWorld();
    tenantId = (await world.db.createTenant()).tenantId;
    await world.append(tenantId, 3);
    await world.sealAll();
    await world.sealer.publish();
  });
  afterAll(() => world?.close());

  const loginOf = (url: string) => decodeURIComponent(new URL(url).username);
  const asOwner = async <T>(sql: string, values: unknown[] = []) =>
    (await world.db.owner.query(sql, values)).rows as T[];
  const event = (action: string) => ({
    action,
    category: 'system' as const,
    actor: systemActor(tenantId),
    targets: [{ type: 'thing', id: 'thing' }],
    outcome: 'success' as const,
    context: {},
    detail: {},
  });
  /** The tables of which a login may do this to a column at least. */
  async function tablesFor(url: string, privilege: string) {
    const ofColumns = ['select', 'insert', 'update', 'references'].includes(privilege);
    const rows = await asOwner<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and (has_table_privilege($1, oid, $2) ${ofColumns ? 'or has_any_column_privilege($1, oid, $2)' : ''})
       order by 1`,
      [loginOf(url), privilege],
    );
    return rows.map(({ name }) => name);
  }

  it.each([
    ['a leaf', `insert into audit_leaf values ($1, 99, gen_random_uuid(), sha256(''))`],
    [
      'a tile',
      `insert into audit_tile values ($1, 0, 99, decode(repeat('00', 8192), 'hex'), sha256('')) returning 1`,
    ],
    ['a tree', `insert into audit_tree values ($1, 99, '')`],
    ['a longer tree', `update audit_tree set size = size + 1 where tenant_id = $1`],
    ['a head', `insert into audit_head values ($1, 99, gen_random_uuid(), 99, sha256(''))`],
    ['a checkpoint', `insert into audit_checkpoint select 99, now(), 99, $1::text`],
    ['a longer checkpoint', `update audit_checkpoint set log_size = log_size + 1 where $1 <> ''`],
    ['an anchor', `insert into audit_anchor (target, checkpoint_no) select 'file', 99 where $1 <> ''`],
    ['a claim how far sealing has come', `update audit_seal_state set event_id = $1`],
    [
      'a claim that events leave the log',
      `insert into audit_retirement (tenant_id, upto, event_id, archive) select $1, 1, gen_random_uuid(), 'a'`,
    ],
    ['a claim that they have left it', `update audit_retirement set retired_at = now() where tenant_id = $1`],
    ['the retirement of events', `select audit_retire($1)`],
  ])('refuses %s by the program, whoever it says that it is', async (_, sql) => {
    const { tenantDb } = world.db;
    const write = (tx: { query(sql: string, values: unknown[]): Promise<unknown> }) =>
      tx.query(sql, [tenantId]);
    await expect(tenantDb.run(tenantId, write)).rejects.toMatchObject(REFUSED);
    for (const scope of ['runAsAuditor', 'runAsWorker', 'runAsOperator'] as const)
      await expect(tenantDb[scope](write)).rejects.toMatchObject(REFUSED);
  });

  it('refuses sealing, signing and anchoring by the program', async () => {
    const { keys, anchorFile } = world;
    await world.append(tenantId);
    const own = new Sealer(world.db.tenantDb, keys, [new FileAnchor(anchorFile)], {
      runs: false,
      checkpointMs: 0,
    });
    await expect(own.seal()).rejects.toMatchObject(REFUSED);
    await expect(own.publish()).rejects.toMatchObject(REFUSED);
  });

  it('gives the program no right to change any of the evidence, and the sealer none to anything else', async () => {
    const { appUrl } = world.db;
    for (const privilege of ['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) {
      const ofProgram = await tablesFor(appUrl, privilege);
      expect(ofProgram.filter((name) => EVIDENCE.includes(name))).toEqual([]);
    }
    expect((await tablesFor(appUrl, 'insert')).length).toBeGreaterThan(50);

    const appendedTo = EVIDENCE.filter((name) => name !== 'audit_seal_state');
    expect(await tablesFor(world.sealerUrl, 'insert')).toEqual(
      [...appendedTo, 'audit_event', 'audit_target'].sort(),
    );
    expect(await tablesFor(world.sealerUrl, 'update')).toEqual(['audit_seal_state', 'audit_tree']);
    for (const privilege of ['delete', 'truncate', 'references', 'trigger'])
      expect(await tablesFor(world.sealerUrl, privilege)).toEqual([]);
    expect(await tablesFor(world.sealerUrl, 'select')).toEqual([...EVIDENCE, 'audit_event', 'tenant'].sort());
    const callers = await asOwner<{ program: boolean; sealer: boolean }>(
      `select has_function_privilege($1, name, 'execute') as program, has_function_privilege($2, name, 'execute') as sealer
       from unnest($3::text[]) as name`,
      [loginOf(appUrl), loginOf(world.sealerUrl), RETIRING],
    );
    expect(callers).toEqual(RETIRING.map(() => ({ program: false, sealer: true })));
  });

  it('lets the sealer change no table of the application', async () => {
    const others = (await everyTable(world.db.owner)).filter(({ name }) => !EVIDENCE.includes(name));
    for (const { name, hasTenants } of others)
      for (const sql of [
        `delete from ${name}`,
        ...(hasTenants ? [`update ${name} set tenant_id = tenant_id`] : []),
      ])
        await expect(world.sealerDb.run(tenantId, (tx) => tx.query(sql))).rejects.toMatchObject(REFUSED);
    const user = world.sealerDb.run(tenantId, (tx) => tx.query('select email from app_user'));
    await expect(user).rejects.toMatchObject(REFUSED);
  });

  it('lets the sealer append nothing to the log but a tombstone, which nobody else may', async () => {
    const append = (db: typeof world.sealerDb, action: string) =>
      db.run(tenantId, (tx) => world.log.append(tx, event(action)));
    await expect(append(world.sealerDb, 'thing.change')).rejects.toMatchObject({ cause: REFUSED_BY_DRIVER });
    await expect(append(world.db.tenantDb, 'audit.retention')).rejects.toMatchObject({
      cause: REFUSED_BY_DRIVER,
    });
    await append(world.db.tenantDb, 'thing.change');
    await append(world.sealerDb, 'audit.retention');
  });

  it('binds the sealer by row-level security as everybody else', async () => {
    const other = (await world.db.createTenant()).tenantId;
    await world.append(other);
    await world.sealAll();
    const leaves = (db: typeof world.sealerDb, id: string) =>
      db.run(id, (tx) => tx.query<{ tenant_id: string }[]>('select distinct tenant_id from audit_leaf'));
    for (const db of [world.db.tenantDb, world.sealerDb]) {
      expect(await leaves(db, other)).toEqual([{ tenant_id: other }]);
      expect(await leaves(db, randomUUID())).toEqual([]);
      expect(
        await db.runAsOperator((tx) => tx.query('select from audit_leaf union all select from audit_event')),
      ).toEqual([]);
    }
    const forged = world.sealerDb.run(other, (tx) =>
      tx.query(`insert into audit_leaf values ($1, 99, gen_random_uuid(), sha256(''))`, [other]),
    );
    await expect(forged).rejects.toMatchObject(REFUSED);
  });

  it('lets the program prove what the sealer sealed', async () => {
    await world.append(tenantId);
    await world.sealAll();
    await world.sealer.publish();
    const [newest] = await asOwner<{ event_id: string }>(
      'select event_id from audit_leaf where tenant_id = $1 order by leaf_index desc limit 1',
      [tenantId],
    );
    const proof = await world.db.tenantDb.runAsAuditor((tx) => proveEvent(tx, tenantId, newest!.event_id));
    expect(proof).toMatchObject({ checkpoint: expect.any(String) });
  });

  it('are made by all processes that start at once, and told apart at the start', async () => {
    const sources = await Promise.all([1, 2, 3].map(() => connectSealer(world.db.url, {})));
    for (const source of sources) {
      expect(await source.query('select current_user as name')).toEqual([
        { name: `${new URL(world.db.url).pathname.slice(1)}_sealing` },
      ]);
      await source.destroy();
    }
    const [app, sealer] = [loginOf(world.db.appUrl), loginOf(world.sealerUrl)];
    try {
      await asOwner(`grant navigator_sealer to "${app}"; grant navigator_app to "${sealer}"`);
      await expect(withClient(world.db.appUrl, assertTenancyEnforced)).rejects.toThrow(
        `role ${app} is also a member of navigator_sealer`,
      );
      await expect(connectSealer(world.db.url, {})).rejects.toThrow(
        `role ${sealer} is also a member of navigator_app`,
      );
    } finally {
      await asOwner(`revoke navigator_sealer from "${app}"; revoke navigator_app from "${sealer}"`);
    }
    await expect(connectSealer(world.db.url, { sealerUrl: world.db.url })).rejects.toThrow(/is a superuser/);
  });
});

it('a log that the login of the program sealed before is sealed on by the sealer', async () => {
  const world = await auditWorld();
  try {
    const { tenantId } = await world.db.createTenant();
    const separated = migrations.findIndex(({ name }) => name.startsWith('SeparateSealer'));
    await migrateDown(world.db.url, migrations);
    await migrate(world.db.url, migrations.slice(0, separated));
    const before = new Sealer(world.db.tenantDb, world.keys, [new FileAnchor(world.anchorFile)], {
      runs: false,
      checkpointMs: 0,
    });
    await world.append(tenantId, 300);
    while ((await before.seal()).lagSeconds > 0);
    await before.publish();

    await migrate(world.db.url, migrations);
    await world.append(tenantId, 300);
    await expect(before.seal()).rejects.toMatchObject(REFUSED);
    await world.sealAll();
    await world.sealer.publish();
    const records: ArchiveRecord[] = [];
    await withClient(world.db.url, async (client) => {
      for await (const record of readArchive(client)) records.push(record);
    });
    expect(judge(records, world.keys, await anchorsOf(world))).toMatchObject({
      findings: [],
      counts: { events: 600 },
    });
  } finally {
    await world.close();
  }
});
