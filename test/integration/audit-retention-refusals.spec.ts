import { randomUUID } from 'node:crypto';
import { systemActor } from '#libs/audit';
import { uuidv7 } from '#libs/database';
import { signTombstone } from '../../libs/audit/src/retention/tombstone.js';
import type { archiveAfter } from '../support/audit-world.js';
import { auditWorld } from '../support/audit-world.js';
import { type RetentionWorld, retentionWorld } from '../support/retention-world.js';

describe('what is in a log that is kept for a time only', () => {
  let at: RetentionWorld;
  beforeAll(async () => {
    at = await retentionWorld();
  });
  afterAll(() => at?.close());

  it('is not deleted by the application, whatever it says', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 3);
    await at.sealAndSign();
    const refused = { driverError: { code: '42501' } };
    const run = (sql: string, values: unknown[] = []) =>
      at.world.db.tenantDb.run(tenantId, (tx) => tx.query(sql, values));
    await expect(
      run(`select set_config('app.audit_tombstone', gen_random_uuid()::text, true)`),
    ).resolves.toBeDefined();
    await expect(run('delete from audit_event')).rejects.toMatchObject(refused);
    await expect(run('delete from audit_pii')).rejects.toMatchObject(refused);
    await expect(run(`update audit_retirement set upto = 1`)).rejects.toMatchObject(refused);
    await expect(at.retireNow(tenantId, randomUUID())).rejects.toMatchObject(refused);
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
      await at.world.sealerDb.run(tenantId, (tx) => at.world.log.append(tx, record, id));
      return id;
    };
    const early = await tell(3);
    await expect(at.retireNow(tenantId, early)).rejects.toMatchObject(refused);
    const beyond = await tell(100);
    await at.appendOld(tenantId, 5, 1);
    await at.world.sealAll();
    const young = await tell(6);
    await at.sealAndSign();
    for (const id of [beyond, young]) await expect(at.retireNow(tenantId, id)).rejects.toMatchObject(refused);
    expect(await at.placesOf(tenantId)).toHaveLength(7);
  });

  it('is not deleted by the owner beyond the tombstone that is named', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 3);
    await at.world.sealAll();
    await at.appendOld(tenantId, 5, 2);
    await at.sealAndSign();
    await at.retention.advance();
    await at.sealAndSign();
    const { eventId } = await at.newestTombstone(tenantId);
    const client = await at.world.db.owner.connect();
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

  it('is not deleted by a superuser without being found by both verifiers', async () => {
    const { tenantId } = await at.tenant();
    await at.appendOld(tenantId, 90, 6);
    await at.world.sealAll();
    await at.appendOld(tenantId, 5, 6);
    await at.sealAndSign();
    await at.retireAll();
    const findings = async (change: Parameters<typeof archiveAfter>[1]) => {
      const all = await at.verdicts(change);
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
        query(`update audit_leaf set hash = sha256('') where tenant_id = $1 and leaf_index = 2`, [tenantId]),
      ),
    ).toEqual([
      ['tree-rewritten', 0, expect.any(Number)],
      ['tombstone-forged', 12, undefined],
      ['event-deleted', 0, 6],
    ]);
  });

  it('is not deleted under a tombstone that another key signed, or one of another tree', async () => {
    const stranger = await auditWorld();
    const { tenantId } = await at.tenant(null);
    await at.appendOld(tenantId, 90, 6);
    await at.world.sealAll();
    const root = Buffer.alloc(32);
    const notes = [
      signTombstone(
        { tenantId, to: 6, root, archive: '0'.repeat(64) },
        { ...stranger.keys.signer!, name: at.world.keys.origin },
      ),
      signTombstone({ tenantId: randomUUID(), to: 6, root, archive: '0'.repeat(64) }, at.world.keys.signer!),
      signTombstone({ tenantId, to: 6, root, archive: '0'.repeat(64) }, at.world.keys.signer!),
      'nothing',
    ];
    for (const note of notes)
      await at.world.sealerDb.run(tenantId, (tx) =>
        at.world.log.append(tx, {
          action: 'audit.retention',
          category: 'system',
          actor: systemActor(tenantId),
          targets: [],
          outcome: 'success',
          context: {},
          detail: { to: 6, note },
        }),
      );
    await at.sealAndSign();
    for (const verdict of await at.verdicts((query) =>
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
