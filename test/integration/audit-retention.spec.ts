import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditRetention, LegalHolds, listRetirements, proveEvent, systemActor } from '#libs/audit';
import { uuidv7 } from '#libs/database';
import { auditBody } from '../../libs/audit/src/event/audit-body.js';
import { auditInsertion } from '../../libs/audit/src/event/event-insertion.js';
import { signTombstone } from '../../libs/audit/src/retention/tombstone.js';
import { hasPython, judgeByBoth, runPython } from '../support/audit-verifiers.js';
import { anchorsOf, archiveAfter, auditWorld, type AuditWorld } from '../support/audit-world.js';

const DAY_MS = 86_400_000;

describe('a log that is kept for a time only', () => {
  let world: AuditWorld;
  let folder: string;
  let retention: AuditRetention;
  const holds = new LegalHolds();

  beforeAll(async () => {
    world = await auditWorld();
    folder = await mkdtemp(join(tmpdir(), 'navigator-retired-'));
    retention = new AuditRetention(world.sealerDb, world.log, world.keys, folder, { runs: false });
  });
  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Events so many days ago, with who did them. */
  const appendOld = (tenantId: string, daysAgo: number, count: number, actorId?: string) =>
    world.db.tenantDb.run(tenantId, (tx) => {
      const occurredAt = new Date(Date.now() - daysAgo * DAY_MS).toISOString();
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
      return tx.query(sql, parameters);
    });
  const sealAndSign = async () => {
    await world.sealAll();
    await world.sealer.publish();
  };
  async function tenant(days: number | null = 30) {
    const { tenantId, userId } = await world.db.createTenant();
    if (days !== null)
      await world.db.owner.query(
        `update tenant set settings = settings || jsonb_build_object('audit_retention_days', $2::int) where tenant_id = $1`,
        [tenantId, days],
      );
    return { tenantId, userId };
  }
  /** As the program does, as often as it takes. */
  async function retireAll() {
    for (let step = 0; step < 3; step++) {
      await retention.advance();
      await sealAndSign();
    }
  }
  const placesOf = async (tenantId: string) =>
    (
      await world.db.owner.query<{ place: number }>(
        `select l.leaf_index::int as place from audit_event e
         join audit_leaf l on l.tenant_id = e.tenant_id and l.event_id = e.id where e.tenant_id = $1 order by 1`,
        [tenantId],
      )
    ).rows.map(({ place }) => place);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const verdicts = async (change?: Parameters<typeof archiveAfter>[1]) =>
    (
      await judgeByBoth(
        [await archiveAfter(world, change)],
        world.keys,
        await anchorsOf(world),
        world.anchorFile,
      )
    )[0]!;
  const retireNow = (tenantId: string, eventId: string) =>
    world.sealerDb.run(tenantId, (tx) => tx.query('select audit_retire($1)', [eventId]));
  const newestTombstone = async (tenantId: string) =>
    (await world.db.tenantDb.run(tenantId, (tx) => listRetirements(tx, tenantId, 1)))[0]!;

  it('loses what is older, after an archive and a signed tombstone, and stays verifiable by both verifiers', async () => {
    const { tenantId } = await tenant();
    await appendOld(tenantId, 90, 300);
    await world.sealAll();
    await appendOld(tenantId, 10, 5);
    await sealAndSign();

    await retention.advance();
    await retention.advance();
    expect(await placesOf(tenantId)).toEqual(range(0, 305));
    await sealAndSign();
    await retention.advance();
    expect(await placesOf(tenantId)).toEqual(range(300, 306));
    for (const verdict of await verdicts()) {
      expect(verdict).toMatchObject({ status: 'clean', findings: [] });
      expect(verdict.counts.retired).toBe(300);
    }

    // What is left is proven as before, and what has left is proven by its file.
    const { rows } = await world.db.owner.query<{ event_id: string }>(
      'select event_id from audit_leaf where tenant_id = $1 and leaf_index = 302',
      [tenantId],
    );
    const proof = await world.db.tenantDb.runAsAuditor((tx) => proveEvent(tx, tenantId, rows[0]!.event_id));
    expect(proof).toMatchObject({ leaf_index: 302 });
    expect(await readdir(join(folder, tenantId))).toEqual(['0-300.ndjson']);
    if (hasPython) {
      const {
        verdicts: [verdict],
      } = await runPython([join(folder, tenantId, '0-300.ndjson')], world.keys);
      expect(verdict).toMatchObject({ status: 'clean' });
    }
  });

  it('goes on where it was, tombstones themselves leaving with the rest', async () => {
    const { tenantId } = await tenant();
    await appendOld(tenantId, 400, 10);
    await world.sealAll();
    await appendOld(tenantId, 60, 7);
    await sealAndSign();
    await world.db.owner.query(
      `update tenant set settings = '{"audit_retention_days": 365}' where tenant_id = $1`,
      [tenantId],
    );
    await retireAll();
    expect(await placesOf(tenantId)).toEqual(range(10, 18));
    await world.db.owner.query(
      `update tenant set settings = '{"audit_retention_days": 30}' where tenant_id = $1`,
      [tenantId],
    );
    await retireAll();
    expect(await placesOf(tenantId)).toEqual(range(17, 19));
    for (const verdict of await verdicts()) expect(verdict).toMatchObject({ status: 'clean' });
    const files = (await readdir(join(folder, tenantId))).map((name) => join(folder, tenantId, name));
    expect(files).toHaveLength(2);
    if (hasPython)
      expect((await runPython(files, world.keys)).verdicts.map(({ status }) => status)).toEqual([
        'clean',
        'clean',
      ]);
  });

  it('keeps everything unless its tenant says otherwise, and what is younger', async () => {
    const [keeping, young] = [await tenant(null), await tenant()];
    await appendOld(keeping.tenantId, 900, 3);
    await appendOld(young.tenantId, 30.5, 3);
    await sealAndSign();
    await retireAll();
    expect(await placesOf(keeping.tenantId)).toHaveLength(3);
    expect(await placesOf(young.tenantId)).toHaveLength(3);
  });

  it('keeps what a legal hold covers and all after it, also when the hold comes after the tombstone', async () => {
    const { tenantId, userId } = await tenant();
    await appendOld(tenantId, 90, 4);
    await world.sealAll();
    await appendOld(tenantId, 80, 1, userId);
    await world.sealAll();
    await appendOld(tenantId, 70, 4);
    await sealAndSign();
    const place = (scope: 'user' | 'tenant', subject: string | null) =>
      world.db.tenantDb.run(tenantId, (tx) =>
        holds.place(tx, tenantId, { scope, subject, reason: 'case', placedBy: userId }),
      );
    const releaseAll = () =>
      world.db.owner.query(
        `update legal_hold set release_asked_by = gen_random_uuid(), release_asked_at = now(),
           released_by = gen_random_uuid(), released_at = now() where tenant_id = $1 and released_at is null`,
        [tenantId],
      );
    await place('user', userId);
    await retireAll();
    expect((await placesOf(tenantId))[0]).toBe(4);
    await expect(
      world.db.owner.query('delete from legal_hold where tenant_id = $1', [tenantId]),
    ).rejects.toMatchObject({ code: '23001' });

    await releaseAll();
    await retention.advance();
    await sealAndSign();
    await place('tenant', null);
    await retention.advance();
    expect((await placesOf(tenantId))[0]).toBe(4);
    const { eventId } = await newestTombstone(tenantId);
    await expect(retireNow(tenantId, eventId)).rejects.toMatchObject({ driverError: { code: '23001' } });
    await releaseAll();
    await retention.advance();
    expect((await placesOf(tenantId))[0]).toBe(9);
    for (const verdict of await verdicts()) expect(verdict).toMatchObject({ status: 'clean' });
  });

  it('is not deleted when its archive is not what the tombstone tells of', async () => {
    const { tenantId } = await tenant();
    await appendOld(tenantId, 90, 3);
    await sealAndSign();
    await retention.advance();
    await sealAndSign();
    const path = join(folder, tenantId, '0-3.ndjson');
    const original = await readFile(path, 'utf8');
    await appendFile(path, '{}\n');
    await retention.advance();
    expect((await placesOf(tenantId))[0]).toBe(0);
    if (hasPython) {
      const forged = join(folder, 'forged.ndjson');
      await appendFile(forged, original.replace('thing.change', 'thing.nothing'));
      const {
        verdicts: [verdict],
      } = await runPython([forged], world.keys);
      expect(verdict).toMatchObject({ status: 'tampered', findings: [{ kind: 'body-changed' }] });
    }
  });

  describe('is not deleted by anybody else', () => {
    it('not by the application, whatever it says', async () => {
      const { tenantId } = await tenant();
      await appendOld(tenantId, 90, 3);
      await sealAndSign();
      const refused = { driverError: { code: '42501' } };
      const run = (sql: string, values: unknown[] = []) =>
        world.db.tenantDb.run(tenantId, (tx) => tx.query(sql, values));
      await expect(
        run(`select set_config('app.audit_tombstone', gen_random_uuid()::text, true)`),
      ).resolves.toBeDefined();
      await expect(run('delete from audit_event')).rejects.toMatchObject(refused);
      await expect(run('delete from audit_pii')).rejects.toMatchObject(refused);
      await expect(run(`update audit_retirement set upto = 1`)).rejects.toMatchObject(refused);
      await expect(retireNow(tenantId, randomUUID())).rejects.toMatchObject(refused);
      // Nor by the sealer's login under a tombstone of its own making: too much, too early, and before it is signed.
      const tell = async (to: number) => {
        const id = uuidv7();
        const record = {
          action: 'audit.retention',
          category: 'system' as const,
          actor: systemActor(tenantId),
          targets: [],
          outcome: 'success' as const,
          context: {},
          detail: { to },
        };
        await world.sealerDb.run(tenantId, (tx) => world.log.append(tx, record, id));
        return id;
      };
      const early = await tell(3);
      await expect(retireNow(tenantId, early)).rejects.toMatchObject(refused);
      const beyond = await tell(100);
      await appendOld(tenantId, 5, 1);
      await world.sealAll();
      const young = await tell(6);
      await sealAndSign();
      for (const id of [beyond, young]) await expect(retireNow(tenantId, id)).rejects.toMatchObject(refused);
      expect(await placesOf(tenantId)).toHaveLength(7);
    });

    it('not by the owner beyond the tombstone that is named', async () => {
      const { tenantId } = await tenant();
      await appendOld(tenantId, 90, 3);
      await world.sealAll();
      await appendOld(tenantId, 5, 2);
      await sealAndSign();
      await retention.advance();
      await sealAndSign();
      const { eventId } = await newestTombstone(tenantId);
      const client = await world.db.owner.connect();
      const deleteUpTo = async (to: number) => {
        await client.query('begin');
        try {
          await client.query(
            `select set_config('app.tenant', $1, true), set_config('app.audit_tombstone', $2, true)`,
            [tenantId, eventId],
          );
          return await client.query(
            `delete from audit_event e using audit_leaf l where e.tenant_id = $1 and l.tenant_id = $1
             and l.event_id = e.id and l.leaf_index < $2`,
            [tenantId, to],
          );
        } finally {
          await client.query('rollback');
        }
      };
      try {
        await expect(deleteUpTo(4)).rejects.toMatchObject({ code: '42501' });
        await expect(deleteUpTo(3)).resolves.toMatchObject({ rowCount: 3 });
      } finally {
        client.release();
      }
    });

    it('not by a superuser without being found by both verifiers', async () => {
      const { tenantId } = await tenant();
      await appendOld(tenantId, 90, 6);
      await world.sealAll();
      await appendOld(tenantId, 5, 6);
      await sealAndSign();
      await retireAll();
      const findings = async (change: Parameters<typeof archiveAfter>[1]) => {
        const all = await verdicts(change);
        const places = all.map((verdict) =>
          verdict.findings
            .filter(({ tenant_id }) => tenant_id === tenantId)
            .map(({ kind, leaf_index, before }) => [kind, leaf_index, before]),
        );
        for (const each of places) expect(each).toEqual(places[0]);
        return places[0]!;
      };
      const deleting = (query: (sql: string, values?: unknown[]) => Promise<unknown>, places: string) =>
        query(
          `delete from audit_event e using audit_leaf l where e.tenant_id = $1 and l.tenant_id = $1
           and l.event_id = e.id and l.leaf_index ${places}`,
          [tenantId],
        );
      expect(await findings((query) => deleting(query, '< 8'))).toEqual([['event-deleted', 6, 8]]);
      expect(await findings((query) => deleting(query, '= 9'))).toEqual([['event-deleted', 9, undefined]]);
      expect(await findings((query) => deleting(query, '= 12'))).toEqual([
        ['event-deleted', 12, undefined],
        ['event-deleted', 0, 6],
      ]);
      expect(
        await findings((query) =>
          query(`update audit_leaf set hash = sha256('') where tenant_id = $1 and leaf_index = 2`, [
            tenantId,
          ]),
        ),
      ).toEqual([
        ['tree-rewritten', 0, expect.any(Number)],
        ['tombstone-forged', 12, undefined],
        ['event-deleted', 0, 6],
      ]);
    });

    it('not under a tombstone that another key signed, or one of another tree', async () => {
      const stranger = await auditWorld();
      const { tenantId } = await tenant(null);
      await appendOld(tenantId, 90, 6);
      await world.sealAll();
      const root = Buffer.alloc(32);
      const notes = [
        signTombstone(
          { tenantId, to: 6, root, archive: '0'.repeat(64) },
          { ...stranger.keys.signer!, name: world.keys.origin },
        ),
        signTombstone({ tenantId: randomUUID(), to: 6, root, archive: '0'.repeat(64) }, world.keys.signer!),
        signTombstone({ tenantId, to: 6, root, archive: '0'.repeat(64) }, world.keys.signer!),
        'nothing',
      ];
      for (const note of notes)
        await world.sealerDb.run(tenantId, (tx) =>
          world.log.append(tx, {
            action: 'audit.retention',
            category: 'system',
            actor: systemActor(tenantId),
            targets: [],
            outcome: 'success',
            context: {},
            detail: { to: 6, note },
          }),
        );
      await sealAndSign();
      for (const verdict of await verdicts((query) =>
        query(
          `delete from audit_event e using audit_leaf l where e.tenant_id = $1 and l.tenant_id = $1
           and l.event_id = e.id and l.leaf_index < 6`,
          [tenantId],
        ),
      ))
        expect(
          verdict.findings
            .filter(({ tenant_id }) => tenant_id === tenantId)
            .map(({ kind, leaf_index }) => [kind, leaf_index]),
        ).toEqual([
          ['tombstone-forged', 6],
          ['tombstone-forged', 7],
          ['tombstone-forged', 8],
          ['tombstone-forged', 9],
          ['event-deleted', 0],
        ]);
      await stranger.close();
    });
  });
});
