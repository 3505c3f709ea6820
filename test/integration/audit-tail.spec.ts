import { randomInt } from 'node:crypto';
import { type AuditFilter, countSealed, systemActor, tailAudit } from '#libs/audit';
import { type AuditWorld, auditWorld } from '../support/audit-world.js';

describe('the tail of the audit log', () => {
  let world: AuditWorld;
  let tenantId: string;

  beforeEach(async () => {
    world = await auditWorld();
    tenantId = (await world.db.createTenant()).tenantId;
  });
  afterEach(() => world.close());

  const tail = (after: number, filter: AuditFilter = {}, limit = 1_000) =>
    world.db.tenantDb.read(tenantId, (tx) => tailAudit(tx, tenantId, filter, { after, limit }));
  const record = (action: string) => ({
    action,
    category: 'data.write' as const,
    actor: systemActor(tenantId),
    targets: [],
    outcome: 'success' as const,
    context: {},
    detail: {},
  });
  const actionOf = ({ body }: { body: string }) => (JSON.parse(body) as { action: string }).action;

  it('shows an event of a transaction that ends late, although later ones have been committed long ago', async () => {
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const late = world.db.tenantDb.run(tenantId, async (tx) => {
      await world.log.append(tx, record('begun.early'));
      begun.resolve();
      await end.promise;
    });
    await begun.promise;
    await world.db.tenantDb.run(tenantId, (tx) => world.log.append(tx, record('ended.early')));
    await world.sealer.seal();
    const before = await tail(-1);
    expect(before.lines.map(actionOf)).toEqual([]);
    end.resolve();
    await late;
    await world.sealAll();
    const after = await tail(before.reached);
    expect(after.lines.map(actionOf)).toEqual(['begun.early', 'ended.early']);
    expect(after.lines.map(({ leafIndex }) => leafIndex)).toEqual([0, 1]);
    expect(after.lines[0]!.occurredAt < after.lines[1]!.occurredAt).toBe(true);
  });

  it('shows each event once and in order, while many transactions end in any order', async () => {
    const [writers, each] = [6, 15];
    let writing = true;
    const sealing = (async () => {
      while (writing) await world.sealer.seal();
      await world.sealAll();
    })();
    const seen: { id: string; leafIndex: number }[] = [];
    let isSealed = false;
    const reading = (async () => {
      for (let reached = -1; ;) {
        const isLast = isSealed;
        const batch = await tail(reached, {}, 7);
        seen.push(...batch.lines);
        if (isLast && batch.reached === reached) return;
        reached = batch.reached;
      }
    })();
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (let i = 0; i < each; i++)
          await world.db.tenantDb.run(tenantId, async (tx) => {
            await world.log.append(tx, record('thing.change'));
            for (let turns = randomInt(5); turns > 0; turns--) await tx.query('select 1');
          });
      }),
    );
    writing = false;
    await sealing;
    isSealed = true;
    await reading;
    expect(seen.map(({ leafIndex }) => leafIndex)).toEqual(
      Array.from({ length: writers * each }, (_, i) => i),
    );
    expect(new Set(seen.map(({ id }) => id)).size).toBe(writers * each);
  });

  it('leaves out what does not match, and says how far it has looked', async () => {
    await world.db.tenantDb.run(tenantId, async (tx) => {
      for (const action of ['a.read', 'b.read', 'a.write', 'b.write'])
        await world.log.append(tx, record(action));
    });
    await world.append((await world.db.createTenant()).tenantId, 3);
    await world.sealAll();
    const found = await tail(-1, { action: 'a.*' });
    expect(found.lines.map(actionOf)).toEqual(['a.read', 'a.write']);
    expect(found.reached).toBe(3);
    expect(await tail(-1, { action: 'nothing' }, 2)).toEqual({ lines: [], reached: 1 });
    expect(await tail(3)).toEqual({ lines: [], reached: 3 });
    expect(await world.db.tenantDb.read(tenantId, (tx) => countSealed(tx, tenantId))).toBe(4);
  });
});
