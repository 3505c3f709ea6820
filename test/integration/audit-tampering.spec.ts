import type { AnchoredCheckpoint, ArchiveRecord, Verdict } from '#libs/audit';
import { SeededRandom } from '../simulation/seeded-random.js';
import { type LogState, recordsOf, stateOf } from '../support/audit-state.js';
import { tamper } from '../support/audit-tampering.js';
import { judge, judgeByBoth, locates } from '../support/audit-verifiers.js';
import { anchorsOf, archiveAfter, auditWorld, type AuditWorld, furnish } from '../support/audit-world.js';

const ROUNDS = 150;

describe('what is done to the audit log by a superuser', () => {
  let world: AuditWorld;
  let tenants: string[];
  let records: ArchiveRecord[];
  let state: LogState;
  let anchors: AnchoredCheckpoint[];

  beforeAll(async () => {
    world = await auditWorld();
    tenants = await furnish(world);
    records = await archive();
    state = stateOf(records);
    anchors = await anchorsOf(world);
  });
  afterAll(() => world?.close());

  const archive = (change?: Parameters<typeof archiveAfter>[1]) => archiveAfter(world, change);
  const both = (tampered: readonly ArchiveRecord[][], given = anchors, keys = world.keys) =>
    judgeByBoth(tampered, keys, given, given.length > 0 ? world.anchorFile : undefined);

  it('is nothing, and then both verifiers say so', async () => {
    expect(recordsOf(stateOf(records))).toEqual(records);
    for (const verdict of (await both([records]))[0]!) {
      expect(verdict).toMatchObject({ status: 'clean', findings: [], incomplete: [] });
      expect(verdict.counts).toEqual({
        events: 608,
        retired: 270,
        trees: 4,
        heads: 9,
        checkpoints: 9,
        anchors: 9,
      });
    }
  });

  it('is not judged clean without what was kept elsewhere, nor by other keys', async () => {
    for (const verdict of (await both([records], []))[0]!) expect(verdict.status).toBe('incomplete');
    const stranger = await auditWorld();
    try {
      for (const verdict of (await both([records], anchors, stranger.keys))[0]!) {
        expect(verdict.status).toBe('tampered');
        expect(verdict.findings[0]!.kind).toBe('checkpoint-forged');
      }
    } finally {
      await stranger.close();
    }
  });

  it(`is found and located by both verifiers, in each of ${ROUNDS} random ways`, async () => {
    const random = new SeededRandom(20_261_103).next;
    const rounds = Array.from({ length: ROUNDS }, () => {
      const copy = structuredClone(state);
      return { tampering: tamper(copy, random), tampered: recordsOf(copy) };
    });
    expect(new Set(rounds.map(({ tampering }) => tampering.name)).size).toBeGreaterThan(25);
    const verdicts = await both(rounds.map(({ tampered }) => tampered));
    const missed = rounds.flatMap(({ tampering }, i) =>
      verdicts[i]!.every((verdict) => locates(verdict, tampering))
        ? []
        : [{ tampering, verdicts: verdicts[i] }],
    );
    expect(missed).toEqual([]);
    const places = ({ findings }: Verdict) => findings.map(({ detail: _, ...finding }) => finding);
    for (const [one, other] of verdicts) if (other) expect(places(other)).toEqual(places(one!));
  }, 180_000);

  it.each([
    [`update audit_event set body = '{}' where tenant_id = $1 and id = $2`, 'body-changed'],
    [
      `update audit_event set action = 'nothing.happened' where tenant_id = $1 and id = $2`,
      'columns-changed',
    ],
    [
      `update audit_event set detail = '{"size_bytes": 0.5}' where tenant_id = $1 and id = $2`,
      'columns-changed',
    ],
    [
      `update audit_event set occurred_at = occurred_at - interval '1 us' where tenant_id = $1 and id = $2`,
      'columns-changed',
    ],
    [
      `update audit_event set tenant_id = gen_random_uuid() where tenant_id = $1 and id = $2`,
      'event-deleted',
    ],
    [`delete from audit_event where tenant_id = $1 and id = $2`, 'event-deleted'],
    [`delete from audit_leaf where tenant_id = $1 and event_id = $2`, 'leaf-deleted'],
    [`update audit_leaf set hash = sha256('') where tenant_id = $1 and event_id = $2`, 'leaf-changed'],
  ])('by %s is %s', async (sql, kind) => {
    const entry = state.trees.find(({ tree }) => tree.tenant_id === tenants[0])!.entries[17]!;
    const tampered = await archive((query) => query(sql, [tenants[0], entry.event_id]));
    for (const verdict of (await both([tampered]))[0]!)
      expect(verdict.findings).toContainEqual(
        expect.objectContaining({ kind, tenant_id: tenants[0], leaf_index: 17 }),
      );
  });

  it.each([
    [
      `insert into audit_event (tenant_id, id, xid, action, category, actor_type, outcome, body)
       values ($1, gen_random_uuid(), '3', 'thing.change', 'data.write', 'system', 'success', '{}')`,
      'event-inserted',
    ],
    [`delete from audit_tile where tenant_id = $1`, 'tile-changed'],
    [`update audit_tree set size = size - 1 where tenant_id = $1`, 'tree-changed'],
    [`delete from audit_leaf where tenant_id = $1 and leaf_index > 280`, 'tree-truncated'],
    [`delete from audit_leaf where tenant_id = $1`, 'tree-truncated'],
    [`update audit_head set size = size - 1 where tenant_id = $1`, 'head-changed'],
  ])('by %s is %s', async (sql, kind) => {
    const tampered = await archive((query) => query(sql, [tenants[0]]));
    for (const verdict of (await both([tampered]))[0]!) {
      expect(verdict.status).toBe('tampered');
      expect(verdict.findings.map((finding) => finding.kind)).toContain(kind);
    }
  });

  it('by emptying everything is a rolled back log', async () => {
    const tampered = await archive(async (query) => {
      for (const table of ['event', 'leaf', 'tile', 'tree', 'head', 'checkpoint'])
        await query(`truncate audit_${table}`);
    });
    for (const verdict of (await both([tampered]))[0]!)
      expect(verdict.findings.map(({ kind }) => kind)).toEqual(['checkpoint-deleted', 'log-rolled-back']);
  });

  it('cannot be hidden by leaving out records of an archive', async () => {
    expect(() => judge(records.toSpliced(20, 1), world.keys, anchors)).toThrow('records are missing');
    expect(() => judge(records.slice(0, -1), world.keys, anchors)).toThrow('its end is missing');
    expect(() => judge(records.slice(1), world.keys, anchors)).toThrow('does not begin');
  });
});
