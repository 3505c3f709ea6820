import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditRetention, LegalHolds, proveEvent } from '#libs/audit';
import { hasPython, runPython } from '../support/audit-verifiers.js';
import { until } from '../support/faulty-database.js';
import { type RetentionWorld, retentionWorld } from '../support/retention-world.js';

describe('a log that is kept for a time only', () => {
  let at: RetentionWorld;
  const holds = new LegalHolds();
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  beforeAll(async () => {
    at = await retentionWorld();
  });
  afterAll(() => at?.close());

  it('loses what is older, after an archive and a signed tombstone, and stays verifiable by both verifiers', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 300);
    await at.world.sealAll();
    await at.appendOld(tenantId, 10, 5);
    await at.sealAndSign();

    await at.retention.advance();
    await at.retention.advance();
    expect(await at.placesOf(tenantId)).toEqual(range(0, 305));
    await at.sealAndSign();
    await at.retention.advance();
    expect(await at.placesOf(tenantId)).toEqual(range(300, 306));
    for (const verdict of await at.verdicts()) {
      expect(verdict).toMatchObject({ status: 'clean', findings: [] });
      expect(verdict.counts.retired).toBe(300);
    }

    // What is left is proven as before, and what has left is proven by its file.
    const { rows } = await at.world.db.owner.query<{ event_id: string }>(
      'select event_id from audit_leaf where tenant_id = $1 and leaf_index = 302',
      [tenantId],
    );
    const proof = await at.world.db.tenantDb.runAsAuditor((tx) =>
      proveEvent(tx, tenantId, rows[0]!.event_id),
    );
    expect(proof).toMatchObject({ leaf_index: 302 });
    expect(await readdir(join(at.folder, tenantId))).toEqual(['0-300.ndjson']);
    if (hasPython) {
      const {
        verdicts: [verdict],
      } = await runPython([join(at.folder, tenantId, '0-300.ndjson')], at.world.keys);
      expect(verdict).toMatchObject({ status: 'clean' });
    }
  });

  it('loses personal values with the last events that may refer to them, also those of nobody who is known', async () => {
    const { tenantId, userId } = await at.tenant();
    await at.appendOld(tenantId, 90, 3);
    await at.world.sealAll();
    await at.appendOld(tenantId, 20, 1);
    await at.sealAndSign();
    const { owner } = at.world.db;
    for (const subject of [null, userId])
      await owner.query(
        `insert into audit_pii (tenant_id, commitment, subject, sealed, written_at)
         select $1, sha256(gen_random_uuid()::text::bytea), $2, ''::bytea, now() - make_interval(days => days)
         from unnest(array[90, 20]) as days`,
        [tenantId, subject],
      );
    await at.retireAll();
    const { rows } = await owner.query(
      `select subject, round(extract(epoch from now() - written_at) / 86400)::int as days
       from audit_pii where tenant_id = $1 order by subject nulls first`,
      [tenantId],
    );
    expect(rows).toEqual([null, userId].map((subject) => ({ subject, days: 20 })));
  });

  it('goes on where it was, tombstones themselves leaving with the rest', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 400, 10);
    await at.world.sealAll();
    await at.appendOld(tenantId, 60, 7);
    await at.sealAndSign();
    await at.world.db.owner.query(
      `update tenant set settings = '{"audit_retention_days": 365}' where tenant_id = $1`,
      [tenantId],
    );
    await at.retireAll();
    expect(await at.placesOf(tenantId)).toEqual(range(10, 18));
    await at.world.db.owner.query(
      `update tenant set settings = '{"audit_retention_days": 30}' where tenant_id = $1`,
      [tenantId],
    );
    await at.retireAll();
    expect(await at.placesOf(tenantId)).toEqual(range(17, 19));
    for (const verdict of await at.verdicts()) expect(verdict).toMatchObject({ status: 'clean' });
    const files = (await readdir(join(at.folder, tenantId))).map((name) => join(at.folder, tenantId, name));
    expect(files).toHaveLength(2);
    if (hasPython)
      expect((await runPython(files, at.world.keys)).verdicts.map(({ status }) => status)).toEqual([
        'clean',
        'clean',
      ]);
  });

  it('loses all that is due without waiting for the next look, however much it is', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 50);
    const { sealerDb, log, keys } = at.world;
    const options = { runs: true, batch: 20, pauseMs: 1 };
    const running = new AuditRetention(sealerDb, log, keys, at.folder, options);
    await at.sealAndSign();
    running.onApplicationBootstrap();
    try {
      await until(async () => {
        await at.sealAndSign();
        return (await at.placesOf(tenantId))[0] === 50;
      });
    } finally {
      await running.beforeApplicationShutdown();
    }
    expect(await at.placesOf(tenantId)).toEqual(range(50, 53));
    for (const verdict of await at.verdicts()) expect(verdict).toMatchObject({ status: 'clean' });
  });

  it('keeps everything unless its tenant says otherwise, and what is younger', async () => {
    const [keeping, young] = [await at.tenant(null), await at.tenant()];
    await at.appendOld(keeping.tenantId, 900, 3);
    await at.appendOld(young.tenantId, 30.5, 3);
    await at.sealAndSign();
    await at.retireAll();
    expect(await at.placesOf(keeping.tenantId)).toHaveLength(3);
    expect(await at.placesOf(young.tenantId)).toHaveLength(3);
  });

  it('keeps what a legal hold covers and all after it, also when the hold comes after the tombstone', async () => {
    const { tenantId, userId } = await at.tenant();
    await at.appendOld(tenantId, 90, 4);
    await at.world.sealAll();
    await at.appendOld(tenantId, 80, 1, userId);
    await at.world.sealAll();
    await at.appendOld(tenantId, 70, 4);
    await at.sealAndSign();
    const place = (scope: 'user' | 'tenant', subject: string | null) =>
      at.world.db.tenantDb.run(tenantId, (tx) =>
        holds.place(tx, tenantId, { scope, subject, reason: 'case', placedBy: userId }),
      );
    const releaseAll = () =>
      at.world.db.owner.query(
        `update legal_hold set release_asked_by = gen_random_uuid(), release_asked_at = now(),
           released_by = gen_random_uuid(), released_at = now() where tenant_id = $1 and released_at is null`,
        [tenantId],
      );
    await place('user', userId);
    await at.retireAll();
    expect((await at.placesOf(tenantId))[0]).toBe(4);
    await expect(
      at.world.db.owner.query('delete from legal_hold where tenant_id = $1', [tenantId]),
    ).rejects.toMatchObject({ code: '23001' });

    await releaseAll();
    await at.retention.advance();
    await at.sealAndSign();
    await place('tenant', null);
    await at.retention.advance();
    expect((await at.placesOf(tenantId))[0]).toBe(4);
    const { eventId } = await at.newestTombstone(tenantId);
    await expect(at.retireNow(tenantId, eventId)).rejects.toMatchObject({ driverError: { code: '23001' } });
    await releaseAll();
    await at.retention.advance();
    expect((await at.placesOf(tenantId))[0]).toBe(9);
    for (const verdict of await at.verdicts()) expect(verdict).toMatchObject({ status: 'clean' });
  });

  it('looks for what holds cover among the events that are about to leave, and at nothing else', async () => {
    const { tenantId, userId } = await at.tenant();
    for (const count of [2, 4]) {
      await at.appendOld(tenantId, 90, count);
      await at.world.sealAll();
    }
    await at.appendOld(tenantId, 80, 1, userId);
    await at.sealAndSign();
    const { rows } = await at.world.db.owner.query<{ place: number }>(
      `select l.leaf_index::int as place from audit_leaf l join audit_event e on e.id = l.event_id
       where e.tenant_id = $1 and e.targets @> '[{"id": "thing-3"}]'`,
      [tenantId],
    );
    const place = rows[0]!.place;
    const heldFrom = async (from: number, to: number) => {
      const [row] = await at.world.sealerDb.run(tenantId, (tx) =>
        tx.query<{ place: number | null }[]>('select audit_held_from($1, $2)::int as place', [from, to]),
      );
      return row!.place;
    };
    expect(await heldFrom(0, 7)).toBeNull();
    for (const [scope, subject] of [
      ['user', userId],
      ['document', 'thing-3'],
    ] as const)
      await at.world.db.tenantDb.run(tenantId, (tx) =>
        holds.place(tx, tenantId, { scope, subject, reason: 'case', placedBy: userId }),
      );
    expect(await heldFrom(0, 7)).toBe(place);
    expect(await heldFrom(0, place)).toBeNull();
    expect(await heldFrom(place + 1, 6)).toBeNull();
    expect(await heldFrom(place + 1, 7)).toBe(6);
    await at.retireAll();
    expect((await at.placesOf(tenantId))[0]).toBe(place);
    const { rows: targets } = await at.world.db.owner.query(
      `select count(*)::int as all, count(e.id)::int as kept from audit_target t
       left join audit_event e on e.tenant_id = t.tenant_id and e.id = t.event_id where t.tenant_id = $1`,
      [tenantId],
    );
    // Also the tombstone names one, its archive.
    const kept = 7 - place + 1;
    expect(targets).toEqual([{ all: kept, kept }]);
  });

  it('keeps what a hold covers that is being placed at this moment', async () => {
    const { tenantId, userId } = await at.tenant();
    await at.appendOld(tenantId, 90, 3);
    await at.sealAndSign();
    await at.retention.advance();
    await at.sealAndSign();
    const { db } = at.world;
    let retiring: Promise<unknown> = Promise.resolve();
    let isOver = false;
    await db.tenantDb.run(tenantId, async (tx) => {
      await holds.place(tx, tenantId, { scope: 'tenant', subject: null, reason: 'case', placedBy: userId });
      retiring = at.retention.advance().finally(() => (isOver = true));
      await until(async () => {
        const { rows } = await db.owner.query(
          `select from pg_locks l join pg_database d on d.oid = l.database
           where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
        );
        return isOver || rows.length === 1;
      });
    });
    await retiring;
    expect((await at.placesOf(tenantId))[0]).toBe(0);
  });

  it('is not deleted when its archive is not what the tombstone tells of', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 3);
    await at.sealAndSign();
    await at.retention.advance();
    await at.sealAndSign();
    const path = join(at.folder, tenantId, '0-3.ndjson');
    const original = await readFile(path, 'utf8');
    await appendFile(path, '{}\n');
    await at.retention.advance();
    expect((await at.placesOf(tenantId))[0]).toBe(0);
    if (hasPython) {
      const forged = join(at.folder, 'forged.ndjson');
      await appendFile(forged, original.replace('thing.change', 'thing.nothing'));
      const {
        verdicts: [verdict],
      } = await runPython([forged], at.world.keys);
      expect(verdict).toMatchObject({ status: 'tampered', findings: [{ kind: 'body-changed' }] });
      // What stands behind the tombstone is signed by nobody; and a file that is nothing hides no other.
      const nothing = join(at.folder, 'nothing.ndjson');
      await appendFile(nothing, '['.repeat(100_000));
      const { verdicts, exitCode } = await runPython([nothing, path], at.world.keys);
      expect(verdicts).toMatchObject([{ status: 'tampered', findings: [{ kind: 'tombstone-forged' }] }]);
      expect(exitCode).toBe(1);
    }
  });
});
