import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallHandler, type ExecutionContext } from '@nestjs/common';
import { defer, lastValueFrom } from 'rxjs';
import {
  type AuditActor,
  auditActor,
  auditDetail,
  Audited,
  AuditInterceptor,
  AuditLog,
  AuditSpool,
  type AuditQuery,
  type AuditRecord,
  INSTALLATION,
  listAudit,
  systemActor,
} from '#libs/audit';
import { newContext, runInContext } from '#libs/observability';
import { personalData } from '../support/audit-world.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

class Routes {
  @Audited('user.rename', 'admin') rename() {}
}

describe('the audit log on a real database', () => {
  let db: TestDatabase;
  let log: AuditLog;
  let spoolFolder: string;

  beforeAll(async () => {
    spoolFolder = await mkdtemp(join(tmpdir(), 'navigator-audit-'));
    db = await testDatabase();
    log = new AuditLog(db.tenantDb, new AuditSpool(spoolFolder), personalData());
  });
  afterAll(async () => {
    await db?.close();
    await rm(spoolFolder, { recursive: true, force: true });
  });

  const recordOf = (actor: AuditActor, more: Partial<AuditRecord> = {}): AuditRecord => ({
    action: 'thing.change',
    category: 'data.write',
    actor,
    targets: [],
    outcome: 'success',
    context: {},
    detail: {},
    ...more,
  });
  const append = (tenantId: string, more: Partial<AuditRecord> = {}) =>
    db.tenantDb.run(tenantId, (tx) => log.append(tx, recordOf(systemActor(tenantId), more)));
  const list = (tenantId: string, query: Partial<AuditQuery> = {}) =>
    db.tenantDb.run(tenantId, (tx) => listAudit(tx, tenantId, { order: 'desc', limit: 100, ...query }));
  const eventsOf = async (tenantId: string) =>
    (await db.owner.query('select * from audit_event where tenant_id = $1 order by occurred_at', [tenantId]))
      .rows;

  /** A request of `tenantId`'s administrator that runs `act` behind the interceptor. */
  function request(tenantId: string, userId: string, act: () => Promise<unknown>) {
    const context = { getHandler: () => Routes.prototype.rename } as unknown as ExecutionContext;
    const next: CallHandler = { handle: () => defer(act) };
    const requestContext = newContext({ requestId: `request-${randomUUID()}` });
    requestContext.route = 'POST /v1/users/:id/name';
    return runInContext(requestContext, async () => {
      auditActor({ type: 'user', tenantId, id: userId, role: 'admin', credentialId: randomUUID() });
      return lastValueFrom(await new AuditInterceptor(log).intercept(context, next), {
        defaultValue: undefined,
      });
    });
  }
  const disable = (tenantId: string, userId: string) =>
    db.tenantDb.change(tenantId, async (tx) => {
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { fields: ['disabled_at'] } });
      await tx.query('update app_user set disabled_at = now() where id = $1', [userId]);
    });
  const isDisabled = async (userId: string) =>
    (await db.owner.query('select disabled_at from app_user where id = $1', [userId])).rows[0].disabled_at !==
    null;

  describe('a change', () => {
    it('commits together with its event, which says who did what to which, by what request', async () => {
      const { tenantId, userId } = await db.createTenant();
      await request(tenantId, userId, () => disable(tenantId, userId));
      expect(await isDisabled(userId)).toBe(true);
      expect(await eventsOf(tenantId)).toMatchObject([
        {
          action: 'user.rename',
          category: 'admin',
          actor_type: 'user',
          actor_id: userId,
          actor_role: 'admin',
          targets: [{ type: 'user', id: userId }],
          outcome: 'success',
          reason: null,
          request_id: expect.stringMatching(/^request-/),
          route: 'POST /v1/users/:id/name',
          detail: { fields: ['disabled_at'] },
        },
      ]);
    });

    it('is rolled back when its event cannot be written', async () => {
      const { tenantId, userId } = await db.createTenant();
      await db.owner.query('alter table audit_event add constraint broken check (false) not valid');
      try {
        await expect(request(tenantId, userId, () => disable(tenantId, userId))).rejects.toMatchObject({
          code: 'audit-unavailable',
          kind: 'unavailable',
        });
        await expect(request(tenantId, userId, () => Promise.resolve())).rejects.toMatchObject({
          code: 'audit-unavailable',
        });
      } finally {
        await db.owner.query('alter table audit_event drop constraint broken');
      }
      expect(await isDisabled(userId)).toBe(false);
      expect(await eventsOf(tenantId)).toEqual([]);
    });

    it('that fails leaves its failure and not its success', async () => {
      const { tenantId, userId } = await db.createTenant();
      const act = () =>
        db.tenantDb.change(tenantId, async (tx) => {
          await tx.query('update app_user set disabled_at = now() where id = $1', [userId]);
          await tx.query('select 1 / 0');
        });
      await expect(request(tenantId, userId, act)).rejects.toThrow(/division by zero/);
      expect(await isDisabled(userId)).toBe(false);
      expect(await eventsOf(tenantId)).toMatchObject([{ outcome: 'failure', reason: 'internal-error' }]);
    });

    it('that fails at the commit itself leaves its failure', async () => {
      const { tenantId, userId } = await db.createTenant();
      await db.owner.query(`
        create function refuse_commit() returns trigger language plpgsql as
          $$ begin raise exception 'refused at commit'; end $$;
        create constraint trigger refuse_commit after update on app_user deferrable initially deferred
          for each row execute function refuse_commit()`);
      try {
        await expect(request(tenantId, userId, () => disable(tenantId, userId))).rejects.toThrow(
          /refused at commit/,
        );
      } finally {
        await db.owner.query('drop trigger refuse_commit on app_user; drop function refuse_commit()');
      }
      expect(await isDisabled(userId)).toBe(false);
      expect(await eventsOf(tenantId)).toMatchObject([{ outcome: 'failure' }]);
    });
  });

  it('records each of many requests at once as its own', async () => {
    const people = await Promise.all(Array.from({ length: 30 }, () => db.createTenant()));
    await Promise.all(
      people.map(({ tenantId, userId }) => request(tenantId, userId, () => disable(tenantId, userId))),
    );
    for (const { tenantId, userId } of people)
      expect(await eventsOf(tenantId)).toMatchObject([{ actor_id: userId, targets: [{ id: userId }] }]);
  });

  describe('is append-only', () => {
    const statements = [
      `update audit_event set action = 'nothing.happened'`,
      `delete from audit_event`,
      `truncate audit_event`,
    ];

    it.each(statements)('to the application: %s', async (sql) => {
      const { tenantId } = await db.createTenant();
      await append(tenantId);
      await expect(db.tenantDb.run(tenantId, (tx) => tx.query(sql))).rejects.toMatchObject({ code: '42501' });
      expect(await eventsOf(tenantId)).toHaveLength(1);
    });

    it.each(statements)('to its owner, also with triggers off for replication: %s', async (sql) => {
      const { tenantId } = await db.createTenant();
      await append(tenantId);
      const client = await db.owner.connect();
      try {
        for (const role of ['origin', 'replica']) {
          await client.query(`set session_replication_role = ${role}`);
          await expect(client.query(sql)).rejects.toMatchObject({
            code: '42501',
            message: expect.stringContaining('append-only'),
          });
        }
      } finally {
        client.release(true);
      }
      expect(await eventsOf(tenantId)).toHaveLength(1);
    });
  });

  describe('keeps tenants apart', () => {
    it('shows each its own events and nobody those of the installation', async () => {
      const [one, two] = [await db.createTenant(), await db.createTenant()];
      await append(one.tenantId);
      await append(INSTALLATION, { action: 'auth.login', outcome: 'denied' });
      expect(await list(one.tenantId)).toHaveLength(1);
      expect(await list(two.tenantId)).toEqual([]);
      const all = (tenantId: string) =>
        db.tenantDb.run(tenantId, (tx) => tx.query(`select from audit_event`));
      expect(await all(one.tenantId)).toHaveLength(1);
      expect(await all(two.tenantId)).toEqual([]);
      expect(await list(INSTALLATION)).toMatchObject([{ action: 'auth.login', outcome: 'denied' }]);
    });

    it('lets no tenant write into the log of another', async () => {
      const [one, two] = [await db.createTenant(), await db.createTenant()];
      const forged = db.tenantDb.run(one.tenantId, (tx) =>
        log.append(tx, recordOf(systemActor(two.tenantId))),
      );
      await expect(forged).rejects.toMatchObject({ code: 'audit-unavailable' });
      expect(await eventsOf(two.tenantId)).toEqual([]);
    });

    it('lets no tenant have the id of the installation', async () => {
      const insert = db.owner.query(`insert into tenant (tenant_id, name) values ($1, 'x')`, [INSTALLATION]);
      await expect(insert).rejects.toMatchObject({ code: '23514' });
    });
  });

  describe('is read', () => {
    it.each(['desc', 'asc'] as const)(
      'page by page (%s), exactly once each, while events are added',
      async (order) => {
        const { tenantId } = await db.createTenant();
        // Many events of the same microsecond: the id decides.
        await db.owner.query(
          `insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, outcome, body)
         select $1, gen_random_uuid(), timestamptz '2026-11-03 10:00:00.123456+00' + (i / 10) * interval '1 microsecond',
                'thing.change', 'data.write', 'system', 'success', '{}'
         from generate_series(1, 57) i`,
          [tenantId],
        );
        const seen: { occurredAt: string; id: string }[] = [];
        for (let after; ; after = seen.at(-1)) {
          const events = await list(tenantId, { order, limit: 10, after, to: '2026-11-04T00:00:00Z' });
          seen.push(...events);
          await append(tenantId);
          if (events.length < 10) break;
        }
        expect(new Set(seen.map((event) => event.id)).size).toBe(57);
        const keys = seen.map((event) => `${event.occurredAt} ${event.id}`);
        expect(keys).toEqual(order === 'asc' ? keys.toSorted() : keys.toSorted().reverse());
        expect(seen[0]!.occurredAt).toMatch(/^2026-11-03T10:00:00\.1234\d\dZ$/);
      },
    );

    it('along its index, so that a page of a long log costs what a page of a short one does', async () => {
      const { tenantId } = await db.createTenant();
      await db.owner.query(
        `insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, outcome, body)
         select $1, gen_random_uuid(), now() - i * interval '1 second', 'thing.change', 'data.write', 'system', 'success', '{}'
         from generate_series(1, 20000) i`,
        [tenantId],
      );
      await db.owner.query('analyze audit_event');
      const after = { occurredAt: new Date(Date.now() - 3_600_000).toISOString(), id: randomUUID() };
      let plan = '';
      await db.tenantDb.run(tenantId, async (tx) => {
        const explaining = {
          query: async (sql: string, values: unknown[]) => {
            const rows = await tx.query<Record<string, string>[]>(`explain ${sql}`, values);
            plan = rows.map((row) => row['QUERY PLAN']).join('\n');
            return [];
          },
        } as typeof tx;
        await listAudit(explaining, tenantId, { order: 'desc', limit: 100, after });
      });
      expect(plan).toMatch(/Index Scan using audit_event_time/);
      expect(plan).toMatch(/Index Cond: .*ROW\(occurred_at, id\) </);
      expect(plan).not.toContain('Sort');
    });

    it('by each of its filters', async () => {
      const { tenantId, userId } = await db.createTenant();
      const document = randomUUID();
      await append(tenantId, {
        action: 'document.upload',
        requestId: 'request-a',
        targets: [
          { type: 'document', id: document },
          { type: 'job', id: 'j' },
        ],
      });
      await append(tenantId, { action: 'document_x.upload', outcome: 'failure', reason: 'internal-error' });
      await append(tenantId, { action: 'auth.login', actor: { type: 'user', tenantId, id: userId } });

      const actions = async (query: Partial<AuditQuery>) =>
        (await list(tenantId, { order: 'asc', ...query })).map((event) => event.action);
      expect(await actions({ action: 'document.upload' })).toEqual(['document.upload']);
      expect(await actions({ action: 'document.*' })).toEqual(['document.upload']);
      expect(await actions({ action: '*' })).toHaveLength(3);
      expect(await actions({ actorId: userId })).toEqual(['auth.login']);
      expect(await actions({ targetId: document })).toEqual(['document.upload']);
      expect(await actions({ targetId: 'document' })).toEqual([]);
      expect(await actions({ outcome: 'failure' })).toEqual(['document_x.upload']);
      expect(await actions({ requestId: 'request-a' })).toEqual(['document.upload']);
      const [first, second, third] = await list(tenantId, { order: 'asc' });
      expect(await actions({ from: second!.occurredAt })).toHaveLength(2);
      expect(await actions({ to: second!.occurredAt })).toEqual([first!.action]);
      expect(await actions({ from: second!.occurredAt, to: third!.occurredAt })).toEqual([second!.action]);
      expect(await actions({ action: "x' or true --", targetId: `"}]' or true --` })).toEqual([]);
    });
  });
});
