import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog, AuditSpool } from '#libs/audit';
import type { Principal } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { DependencyUnavailable } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import { PolicyRegistry } from '#libs/resilience';
import { ResilienceOverrides } from '../../apps/api/src/ops/index.js';
import { personalData } from '../support/audit-world.js';
import { eventually } from '../support/operator.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Nobody listens there: every notification is lost. */
const DEAF = 'postgres://127.0.0.1:1/nothing';

describe('orders to policies without notifications', () => {
  let db: TestDatabase;
  let folder: string;
  let principal: Principal;
  let away: boolean;
  const running: Replica[] = [];

  interface Replica {
    clock: VirtualClock;
    policies: PolicyRegistry;
    overrides: ResilienceOverrides;
    stop(): Promise<void>;
  }

  beforeAll(async () => {
    db = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'navigator-orders-'));
    const { tenantId, userId } = await db.createTenant();
    principal = { tenantId, userId, role: 'operator', via: 'session', credentialId: userId };
  });
  beforeEach(() => void (away = false));
  afterEach(async () => {
    for (const replica of running.splice(0)) await replica.stop();
    await db.owner.query('truncate resilience_override');
  });
  afterAll(async () => {
    await db.close();
    await rm(folder, { recursive: true });
  });

  async function replica({ url = DEAF } = {}): Promise<Replica> {
    const clock = new VirtualClock();
    const policies = new PolicyRegistry({ clock });
    for (const name of ['model', 'cache']) policies.define(name, { attemptTimeoutMs: 1_000, breaker: {} });
    const tenantDb = new TenantDb(db.source, 5_000, {
      execute: (call, { signal = new AbortController().signal } = {}) =>
        away ? Promise.reject(new DependencyUnavailable('postgres')) : call(signal),
    });
    const audit = new AuditLog(tenantDb, new AuditSpool(folder), personalData());
    const overrides = new ResilienceOverrides(tenantDb, tenantDb, policies, audit, url, clock);
    await overrides.onModuleInit();
    const made = {
      clock,
      policies,
      overrides,
      async stop() {
        await overrides.onModuleDestroy();
        policies.close();
      },
    };
    running.push(made);
    return made;
  }

  const order = (on: Replica, action: 'isolate' | 'close' | 'reset' | 'lift' | 'shadow', rest: object = {}) =>
    runInContext(newContext({ requestId: 'test' }), () =>
      on.overrides.give(principal, {
        policy: 'model',
        action,
        scope: 'fleet',
        reason: 'a test',
        ttlSeconds: 900,
        ...rest,
      }),
    );
  const stateOf = ({ policies }: Replica) => policies.policy('model').state;
  /** The clock passes at once; the look at the database that it starts takes real time. */
  async function poll(on: Replica): Promise<void> {
    await on.clock.advance(5_000);
    await on.overrides.refresh();
  }

  it('are found by the next look', async () => {
    const [a, b] = [await replica(), await replica()];
    await order(a, 'isolate');
    expect(stateOf(a)).toBe('isolated');
    expect(stateOf(b)).toBe('closed');
    await b.clock.advance(5_000);
    await eventually(
      () => stateOf(b),
      (state) => state === 'isolated',
    );
    await order(b, 'lift');
    await poll(a);
    expect([stateOf(a), stateOf(b)]).toEqual(['closed', 'closed']);
  });

  it('are carried out once, and not again by every look', async () => {
    const [a, b] = [await replica(), await replica()];
    await order(a, 'isolate');
    await poll(b);
    const happened: string[] = [];
    b.policies.events.subscribe(({ type }) => happened.push(type));
    await order(a, 'close');
    await poll(b);
    expect(stateOf(b)).toBe('closed');
    const once = happened.length;
    expect(once).toBeGreaterThan(0);
    await poll(b);
    await poll(b);
    expect(happened).toHaveLength(once);
  });

  it('that were done once before a process began are not done to it; overrides hold', async () => {
    const a = await replica();
    await order(a, 'reset');
    await order(a, 'shadow', { policy: 'cache' });
    const b = await replica();
    expect(b.policies.events.list().map(({ policy }) => policy)).toEqual(['cache']);
    expect(b.policies.policy('cache').state).toBe('metrics-only');
    expect(b.overrides.version).toBe(2);
  });

  it('of the fleet hold again when the own order of a replica has ended', async () => {
    const a = await replica();
    await order(a, 'isolate');
    await order(a, 'shadow', { scope: 'replica', ttlSeconds: 0.05 });
    expect(stateOf(a)).toBe('metrics-only');
    await eventually(
      async () => {
        await poll(a);
        return stateOf(a);
      },
      (state) => state === 'isolated',
    );
  });

  it('stay as they are while the database is away, and catch up when it is back', async () => {
    const [a, b] = [await replica(), await replica()];
    await order(a, 'isolate');
    await poll(b);
    away = true;
    await poll(b);
    expect(stateOf(b)).toBe('isolated');
    expect(b.overrides.fleetReached).toBe(false);
    await expect(order(b, 'lift')).rejects.toMatchObject({ code: 'fleet-unreachable' });
    expect(stateOf(b)).toBe('isolated');
    away = false;
    await order(a, 'lift');
    await poll(b);
    expect(stateOf(b)).toBe('closed');
    expect(b.overrides.fleetReached).toBe(true);
  });

  it('let a process begin whose database is away', async () => {
    await order(await replica(), 'isolate');
    away = true;
    const late = await replica();
    expect(stateOf(late)).toBe('closed');
    away = false;
    await poll(late);
    expect(stateOf(late)).toBe('isolated');
  });

  it('come at once where notifications arrive', async () => {
    const [a, b] = [await replica(), await replica({ url: db.appUrl })];
    // Its connection is up when it hears of an order.
    await eventually(
      async () => {
        await order(a, 'shadow', { reason: Math.random().toString() });
        return stateOf(b);
      },
      (state) => state === 'metrics-only',
    );
    expect(b.clock.now()).toBe(0);
  });

  it('for policies that nobody here knows are left alone', async () => {
    await db.owner.query(
      `insert into resilience_override (policy, version, action, ordered_by, reason, expires_at)
       values ('gone', 1, 'isolate', gen_random_uuid(), 'r', now() + interval '1 hour')`,
    );
    const a = await replica();
    expect(a.overrides.fleetReached).toBe(true);
    expect(a.overrides.listInForce()).toEqual([]);
  });

  it('are seen and given by nobody but operators, also in the database', async () => {
    await order(await replica(), 'isolate');
    const count = 'select count(*)::int as n from resilience_override';
    const seen = (await db.tenantDb.run(principal.tenantId, (tx) => tx.query(count))) as { n: number }[];
    expect(seen[0]!.n).toBe(0);
    const given = db.tenantDb.run(principal.tenantId, (tx) =>
      tx.query(
        `insert into resilience_override (policy, version, action, ordered_by, reason) values ('cache', 1, 'reset', gen_random_uuid(), 'r')`,
      ),
    );
    await expect(given).rejects.toThrow(/row-level security/);
  });
});
