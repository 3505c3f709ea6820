import { readFile } from 'node:fs/promises';
import { type ArchiveRecord, FileAnchor, readArchive, Sealer } from '#libs/audit';
import { migrate, migrateDown, withClient } from '#libs/database';
import { migrations } from '#migrations';
import { judge } from '../support/audit-verifiers.js';
import { auditWorld, type AuditWorld } from '../support/audit-world.js';
import { leafHash, rootOf } from '../../libs/audit/src/merkle/index.js';
import { openNote, parseCheckpoint } from '../../libs/audit/src/notes/index.js';
import { Frontier } from '../../libs/audit/src/merkle/index.js';
import { headBody } from '../../libs/audit/src/sealing/index.js';

describe('sealing the audit log', () => {
  let world: AuditWorld;
  beforeEach(async () => {
    world = await auditWorld();
  });
  afterEach(() => world?.close());

  const rows = async <T>(sql: string, values: unknown[] = []) =>
    (await world.db.owner.query(sql, values)).rows as T[];
  const leavesOf = (tenantId: string) =>
    rows<{ leaf_index: string; hash: Buffer; body: Buffer }>(
      `select l.leaf_index, l.hash, e.body from audit_leaf l
       join audit_event e on e.tenant_id = l.tenant_id and e.id = l.event_id
       where l.tenant_id = $1 order by l.leaf_index`,
      [tenantId],
    );
  const treeOf = async (tenantId: string) => {
    const [row] = await rows<{ size: string; frontier: Buffer }>(
      'select size, frontier from audit_tree where tenant_id = $1',
      [tenantId],
    );
    return Frontier.from(Number(row!.size), row!.frontier);
  };

  it('gives every event of every tenant its place, without gaps, in trees of their exact bytes', async () => {
    const tenants = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
    for (const count of [1, 254, 1, 3, 600])
      for (const tenantId of tenants) {
        await world.append(tenantId, count);
        await world.sealAll();
      }
    for (const tenantId of tenants) {
      const leaves = await leavesOf(tenantId);
      expect(leaves.map(({ leaf_index }) => Number(leaf_index))).toEqual(leaves.map((_, i) => i));
      expect(leaves).toHaveLength(859);
      for (const { hash, body } of leaves) expect(hash).toEqual(leafHash(body));
      const hashes = leaves.map(({ hash }) => hash);
      const tree = await treeOf(tenantId);
      expect([tree.size, tree.root()]).toEqual([859, rootOf(hashes)]);
      const tiles = await rows<{ level: number; tile_index: string; hashes: Buffer; root: Buffer }>(
        'select * from audit_tile where tenant_id = $1 order by level, tile_index',
        [tenantId],
      );
      expect(tiles.map(({ level, tile_index }) => [level, Number(tile_index)])).toEqual([
        [0, 0],
        [0, 1],
        [0, 2],
      ]);
      tiles.forEach((tile, i) => {
        expect(tile.hashes).toEqual(Buffer.concat(hashes.slice(i * 256, (i + 1) * 256)));
        expect(tile.root).toEqual(rootOf(hashes.slice(i * 256, (i + 1) * 256)));
      });
    }
  });

  it('gives no place to what could still get something before it', async () => {
    const { tenantId } = await world.db.createTenant();
    const open = await world.db.owner.connect();
    try {
      await open.query('begin');
      await open.query('select pg_current_xact_id()');
      await world.append(tenantId);
      expect((await world.sealer.seal()).lagSeconds).toBeGreaterThan(0);
      expect(await leavesOf(tenantId)).toEqual([]);
      await open.query('commit');
    } finally {
      open.release();
    }
    await world.sealAll();
    expect(await leavesOf(tenantId)).toHaveLength(1);
    expect((await world.sealer.seal()).lagSeconds).toBe(0);
  });

  it('gives each event one place when several processes seal and many write at once', async () => {
    const { tenantId } = await world.db.createTenant();
    let writing = true;
    const writers = Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 25; i++) await world.append(tenantId, 2);
      }),
    ).finally(() => (writing = false));
    const sealers = Array.from({ length: 3 }, async () => {
      while (writing) await world.sealer.seal();
    });
    await Promise.all([writers, ...sealers]);
    await world.sealAll();
    const leaves = await leavesOf(tenantId);
    expect(leaves.map(({ leaf_index }) => Number(leaf_index))).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
  });

  it('goes on where a dump was loaded into a server whose transactions count anew', async () => {
    const { tenantId } = await world.db.createTenant();
    await world.append(tenantId, 3);
    await world.sealAll();
    await world.db.owner.query(`update audit_seal_state set xid = '18446744073709551000'`);
    await world.append(tenantId, 2);
    await world.sealAll();
    expect(await leavesOf(tenantId)).toHaveLength(5);
    await world.append(tenantId, 2);
    await world.sealAll();
    expect(await leavesOf(tenantId)).toHaveLength(7);
  });

  it.each(['audit_leaf', 'audit_tile', 'audit_head', 'audit_checkpoint', 'audit_anchor'])(
    'never changes %s again',
    async (table) => {
      for (const sql of [`delete from ${table}`, `truncate ${table}`])
        await expect(world.db.owner.query(sql)).rejects.toMatchObject({ code: '42501' });
      for (const db of [world.db.tenantDb, world.sealerDb])
        await expect(db.runAsAuditor((tx) => tx.query(`delete from ${table}`))).rejects.toMatchObject({
          code: '42501',
        });
    },
  );

  it('shows a tenant its own leaves, and lets it add none', async () => {
    const [one, two] = [await world.db.createTenant(), await world.db.createTenant()];
    await world.append(one.tenantId);
    await world.sealAll();
    const seen = (tenantId: string) =>
      world.db.tenantDb.run(tenantId, (tx) => tx.query('select from audit_leaf'));
    expect(await seen(one.tenantId)).toHaveLength(1);
    expect(await seen(two.tenantId)).toEqual([]);
    const forged = world.db.tenantDb.run(two.tenantId, (tx) =>
      tx.query(`insert into audit_leaf values ($1, 0, gen_random_uuid(), $2)`, [
        two.tenantId,
        Buffer.alloc(32),
      ]),
    );
    await expect(forged).rejects.toMatchObject({ code: '42501' });
    const chosen = world.db.tenantDb.run(two.tenantId, (tx) =>
      tx.query(`insert into audit_event (tenant_id, id, xid, action, category, actor_type, outcome, body)
                values ('${two.tenantId}', gen_random_uuid(), '1', 'a', 'system', 'system', 'success', '')`),
    );
    await expect(chosen).rejects.toMatchObject({ code: '42501' });
  });

  it('takes in the events from before there was any evidence', async () => {
    const { tenantId } = await world.db.createTenant();
    await world.db.source.destroy();
    const first = migrations.findIndex(({ name }) => name.startsWith('SealAudit'));
    await migrateDown(world.db.url, migrations);
    await migrate(world.db.url, migrations.slice(0, first));
    await world.db.owner.query(
      `insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, targets, outcome, detail)
       select $1, gen_random_uuid(), '2026-11-03 10:00:00.123456+00', 'thing.change', 'data.write', 'system',
              '[{"type": "thing", "id": "t"}]', 'success', jsonb_build_object('size_bytes', i, 'a', 1e21, 'é', 'x' || chr(10))
       from generate_series(1, 1500) i`,
      [tenantId],
    );
    await migrate(world.db.url, migrations);
    await expect(world.db.owner.query('delete from audit_event')).rejects.toMatchObject({ code: '42501' });
    await world.db.source.initialize();
    await world.sealAll();
    await world.sealer.publish();
    expect(await leavesOf(tenantId)).toHaveLength(1500);
    const records: ArchiveRecord[] = [];
    await withClient(world.db.url, async (client) => {
      for await (const record of readArchive(client)) records.push(record);
    });
    expect(judge(records, world.keys, [])).toMatchObject({ findings: [], counts: { events: 1500 } });
  });

  describe('a checkpoint', () => {
    it('signs the heads of all trees that have grown, and is kept outside of the database', async () => {
      const people = await Promise.all(Array.from({ length: 3 }, () => world.db.createTenant()));
      for (const { tenantId } of people) await world.append(tenantId, 2);
      await world.sealAll();
      await world.sealer.publish();
      await world.append(people[0]!.tenantId);
      await world.sealAll();
      await world.sealer.publish();

      const heads = await rows<{ tenant_id: string; size: string; root: Buffer }>(
        'select * from audit_head order by log_index',
      );
      expect(heads.map(({ size }) => Number(size))).toEqual([2, 2, 2, 3]);
      const hashes = heads.map(({ tenant_id: tenantId, size, root }) =>
        leafHash(Buffer.from(headBody({ tenantId, size: Number(size), root }))),
      );
      const kept = (await readFile(world.anchorFile, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { no: number; note: string });
      expect(kept.map(({ no }) => no)).toEqual([1, 2]);
      kept.forEach(({ note }, i) => {
        const { origin, size, root } = parseCheckpoint(openNote(note, world.keys.verifiers));
        expect(origin).toBe(world.keys.origin);
        expect(size).toBe([3, 4][i]);
        expect(root).toEqual(rootOf(hashes.slice(0, size)));
      });
      expect((await treeOf('ffffffff-ffff-ffff-ffff-ffffffffffff')).root()).toEqual(rootOf(hashes));
    });

    it('is kept later where it could not be, and elsewhere all the same', async () => {
      const kept: number[] = [];
      let isAway = true;
      const webhook = {
        target: 'webhook' as const,
        async keep({ no }: { no: number }) {
          if (isAway) throw new Error('away');
          kept.push(no);
        },
      };
      const anchors = [webhook, new FileAnchor(world.anchorFile)];
      const sealer = new Sealer(world.sealerDb, world.keys, anchors, {
        runs: false,
        checkpointMs: 600_000,
      });
      await sealer.publish();
      isAway = false;
      await sealer.publish();
      await sealer.publish();
      expect(kept).toEqual([1]);
      expect((await readFile(world.anchorFile, 'utf8')).split('\n')).toHaveLength(2);
    });

    it('is made of a log at rest too, so that it says that it is there', async () => {
      await world.sealer.publish();
      await world.sealer.publish();
      const notes = await rows<{ note: string; log_size: string }>(
        'select * from audit_checkpoint order by no',
      );
      expect(notes.map(({ log_size }) => log_size)).toEqual(['0', '0']);
      expect(new Set(notes.map(({ note }) => note)).size).toBe(2);
    });
  });
});
