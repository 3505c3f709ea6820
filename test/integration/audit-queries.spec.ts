import { randomUUID } from 'node:crypto';
import { type AuditEvent, type AuditQuery, listAudit } from '#libs/audit';
import { type AuditWorld, auditWorld } from '../support/audit-world.js';

const ACTORS = Array.from({ length: 3 }, () => randomUUID());
const TARGETS = Array.from({ length: 5 }, () => randomUUID());
const ACTIONS = [
  ['document.read', 'data.read'],
  ['document.upload', 'data.write'],
  ['documents-of-others.read', 'data.read'],
  ['auth.login', 'auth'],
  ['question.ask', 'data.read'],
  ['question.ask', 'security'],
  ['user.update', 'admin'],
] as const;
const OUTCOMES = ['success', 'success', 'success', 'denied', 'failure'] as const;
const EVENTS = 240;
const PAGE = 7;

describe('a query of the audit log', () => {
  let world: AuditWorld;
  let tenantId: string;
  /** The newest first. */
  let all: AuditEvent[];

  beforeAll(async () => {
    world = await auditWorld();
    tenantId = (await world.db.createTenant()).tenantId;
    await world.append((await world.db.createTenant()).tenantId, 5);
    await world.db.tenantDb.run(tenantId, async (tx) => {
      for (let i = 0; i < EVENTS; i++) {
        const [action, category] = ACTIONS[i % ACTIONS.length]!;
        await world.log.append(tx, {
          action,
          category,
          actor: { type: 'user', tenantId, id: ACTORS[i % 3] },
          // Some name several, some none, some the same twice.
          targets: [i, i + 1, i].slice(0, i % 4).map((n) => ({ type: 'document', id: TARGETS[n % 5]! })),
          outcome: OUTCOMES[i % 5]!,
          requestId: `request-${Math.floor(i / 3)}`,
          context: {},
          detail: {},
        });
      }
    });
    all = await list({ limit: EVENTS + 1 });
    expect(all).toHaveLength(EVENTS);
  });
  afterAll(() => world.close());

  const list = (query: Partial<AuditQuery>) =>
    world.db.tenantDb.read(tenantId, (tx) =>
      listAudit(tx, tenantId, { order: 'desc', limit: PAGE, ...query }),
    );

  /** Page by page, until a page is not full. */
  async function walk(query: Partial<AuditQuery>): Promise<AuditEvent[]> {
    const found: AuditEvent[] = [];
    for (;;) {
      const page = await list({ ...query, after: found.at(-1) });
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  const targets = ({ targets }: AuditEvent) => targets.map(({ id }) => id);
  const middle = () => all[EVENTS / 2]!;
  const cases: [string, () => Partial<AuditQuery>, (event: AuditEvent) => boolean][] = [
    ['everything', () => ({}), () => true],
    ['an action', () => ({ action: 'auth.login' }), (e) => e.action === 'auth.login'],
    ['a prefix of actions', () => ({ action: 'document.*' }), (e) => e.action.startsWith('document.')],
    ['any action', () => ({ action: '*' }), () => true],
    ['an action that never happened', () => ({ action: 'document' }), () => false],
    ['a category', () => ({ category: 'data.read' }), (e) => e.category === 'data.read'],
    [
      'an action in a category',
      () => ({ action: 'question.*', category: 'security' }),
      (e) => e.action === 'question.ask' && e.category === 'security',
    ],
    ['an actor', () => ({ actorId: ACTORS[1] }), (e) => e.actor.id === ACTORS[1]],
    [
      'what an actor did',
      () => ({ actorId: ACTORS[1], action: 'auth.login' }),
      (e) => e.actor.id === ACTORS[1] && e.action === 'auth.login',
    ],
    ['a target', () => ({ targetId: TARGETS[2] }), (e) => targets(e).includes(TARGETS[2]!)],
    [
      'refusals at a target',
      () => ({ targetId: TARGETS[2], outcome: 'denied' }),
      (e) => targets(e).includes(TARGETS[2]!) && e.outcome === 'denied',
    ],
    ['an outcome', () => ({ outcome: 'failure' }), (e) => e.outcome === 'failure'],
    ['a request', () => ({ requestId: 'request-17' }), (e) => e.requestId === 'request-17'],
    ['a part of an action', () => ({ text: 'QUESTION' }), (e) => e.action.includes('question')],
    ['the id of a request', () => ({ text: 'request-5' }), (e) => e.requestId === 'request-5'],
    ['the id of an actor', () => ({ text: ACTORS[0] }), (e) => e.actor.id === ACTORS[0]],
    ['the id of a target', () => ({ text: TARGETS[4] }), (e) => targets(e).includes(TARGETS[4]!)],
    ['the id of an event', () => ({ text: middle().id }), (e) => e.id === middle().id],
    [
      'a part of an action and an outcome',
      () => ({ text: 'read', outcome: 'denied' }),
      (e) => e.action.includes('read') && e.outcome === 'denied',
    ],
    [
      'a time',
      () => ({ from: middle().occurredAt, action: 'document*' }),
      (e) => e.occurredAt >= middle().occurredAt && e.action.startsWith('document'),
    ],
    ['the time before', () => ({ to: middle().occurredAt }), (e) => e.occurredAt < middle().occurredAt],
  ];

  it.each(cases)('finds %s, each event once and in order', async (_, query, matches) => {
    const expected = all.filter(matches).map(({ id }) => id);
    expect((await walk(query())).map(({ id }) => id)).toEqual(expected);
    expect((await walk({ ...query(), order: 'asc' })).map(({ id }) => id)).toEqual(expected.toReversed());
  });

  it('forgets the targets of an event together with the event', async () => {
    const { owner } = world.db;
    const { id } = all.find(({ targets }) => targets.length > 1)!;
    const known = () =>
      owner.query('select from audit_target where event_id = $1', [id]).then(({ rowCount }) => rowCount);
    expect(await known()).toBe(2);
    const client = await owner.connect();
    try {
      await client.query('begin');
      for (const trigger of ['append_only', 'only_by_tombstone', 'only_what_is_told'])
        await client.query(`do $$ begin
          alter table audit_event disable trigger ${trigger}; exception when undefined_object then null; end $$`);
      await client.query('delete from audit_event where id = $1', [id]);
      expect((await client.query('select from audit_target where event_id = $1', [id])).rowCount).toBe(0);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
