import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TenantDb } from '#libs/database';
import { DependencyUnavailable } from '#libs/errors';
import { type AlertRule, Alerts, listAlerts, type Observation } from '#libs/monitoring';
import { PolicyRegistry } from '#libs/resilience';
import { Deliveries } from '../../libs/monitoring/src/webhook/deliveries.js';
import { WebhookSender } from '../../libs/monitoring/src/webhook/webhook-sender.js';
import { eventually } from '../support/operator.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SECRET = Buffer.alloc(32, 1).toString('base64');

interface Received {
  headers: IncomingHttpHeaders;
  body: { type: string; data: { id: string; fingerprint: string; resolved_cause: string | null } };
}

describe('alerts', () => {
  let db: TestDatabase;
  let away: boolean;
  /** What the database takes its time for. */
  let hangs: Promise<void>;
  let server: Server;
  let received: Received[];
  /** What the webhook answers; 200 when there is nothing left. */
  let answers: number[];
  let url: string;

  beforeAll(async () => {
    db = await testDatabase();
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        received.push({ headers: request.headers, body: JSON.parse(text) as Received['body'] });
        response.writeHead(answers.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`;
  });
  beforeEach(() => {
    away = false;
    hangs = Promise.resolve();
    received = [];
    answers = [];
  });
  afterEach(() => db.owner.query('truncate alert, alert_delivery'));
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await db.close();
  });

  /** A process with one rule, told to nobody unless it has a webhook. */
  function replica(name: string, { webhook = false } = {}) {
    const clock = new VirtualClock();
    const seen: { wrong: Observation[] } = { wrong: [] };
    const tenantDb = new TenantDb(db.source, 5_000, {
      execute: (call, { signal = new AbortController().signal } = {}) =>
        away ? Promise.reject(new DependencyUnavailable('postgres')) : hangs.then(() => call(signal)),
    });
    const rule: AlertRule = {
      name: 'circuit-open',
      severity: 'error',
      cleared: 'the circuit has closed',
      observe: () => seen.wrong,
    };
    const policies = new PolicyRegistry();
    policies.define('webhook', { attemptTimeoutMs: 5_000 });
    const sender = new WebhookSender(url, SECRET, policies);
    const alerts = new Alerts(
      tenantDb,
      [rule],
      { forMs: 30_000, resolveMs: 120_000, replica: name, clock },
      webhook ? new Deliveries(tenantDb, sender) : undefined,
    );
    const look = async () => {
      await alerts.tick();
      await alerts.idle();
    };
    /** So much time, with a look at the end of it. */
    const pass = async (ms: number) => {
      await clock.advance(ms);
      await look();
    };
    return { alerts, clock, seen, look, pass };
  }
  type Replica = ReturnType<typeof replica>;

  const model: Observation = { subject: 'model', summary: 'The circuit of model is open' };
  const queue: Observation = { subject: 'queue', summary: 'It is long', scope: 'fleet' };
  async function open(on: Replica, what = model): Promise<void> {
    on.seen.wrong = [what];
    await on.pass(0);
    await on.pass(30_000);
  }
  async function heal(on: Replica): Promise<void> {
    on.seen.wrong = [];
    await on.pass(0);
    await on.pass(120_000);
  }
  const stored = (state: 'open' | 'resolved' | 'all' = 'all') =>
    db.tenantDb.runAsOperator((tx) => listAlerts(tx, { state, limit: 100 }));
  const types = () => received.map(({ body }) => body.type);

  it('open and resolve by themselves, with the cause', async () => {
    const a = replica('a');
    await open(a);
    expect(await stored()).toMatchObject([
      { fingerprint: 'circuit-open:model@a', severity: 'error', replica: 'a', resolvedAt: undefined },
    ]);
    await heal(a);
    expect(await stored('open')).toEqual([]);
    expect(await stored('resolved')).toMatchObject([
      { resolvedAt: expect.any(Date), resolvedCause: 'the circuit has closed' },
    ]);
  });

  it('survive a restart, and resolve after it', async () => {
    const before = replica('a');
    await open(before);
    const [alert] = await stored('open');
    const after = replica('a');
    await after.alerts.onApplicationBootstrap();
    await after.alerts.beforeApplicationShutdown();
    expect(after.alerts.active()).toMatchObject([{ id: alert!.id }]);
    await heal(after);
    expect(await stored()).toMatchObject([{ id: alert!.id, resolvedCause: 'the circuit has closed' }]);
  });

  it('about one process are another process own, and about all are shared', async () => {
    const [a, b] = [replica('a', { webhook: true }), replica('b', { webhook: true })];
    await open(a);
    await open(b);
    expect((await stored('open')).map(({ fingerprint }) => fingerprint).sort()).toEqual([
      'circuit-open:model@a',
      'circuit-open:model@b',
    ]);
    await heal(a);
    await heal(b);
    received = [];

    await Promise.all([open(a, queue), open(b, queue)]);
    expect(await stored('open')).toMatchObject([{ fingerprint: 'circuit-open:queue' }]);
    expect(a.alerts.active()[0]!.id).toBe(b.alerts.active()[0]!.id);
    await heal(a);
    await heal(b);
    expect(await stored('open')).toEqual([]);
    await eventually(types, (all) => all.length === 2);
    expect(types().sort()).toEqual(['alert.opened', 'alert.resolved']);
  });

  it('go on while the database is away, and are written when it is back', async () => {
    const a = replica('a');
    away = true;
    await open(a);
    expect(a.alerts.active()).toHaveLength(1);
    expect(await stored()).toEqual([]);
    away = false;
    await a.pass(1_000);
    expect(await stored('open')).toHaveLength(1);
    away = true;
    await heal(a);
    away = false;
    await a.pass(1_000);
    expect(await stored()).toMatchObject([{ resolvedCause: 'the circuit has closed' }]);
  });

  it('are told by webhook also while the database is away, once and under the same id', async () => {
    const a = replica('a', { webhook: true });
    away = true;
    await open(a);
    expect(types()).toEqual(['alert.opened']);
    await a.pass(1_000);
    away = false;
    await a.pass(1_000);
    expect(types()).toEqual(['alert.opened']);
    const { rows } = await db.owner.query<{ id: string; delivered_at: Date }>('select * from alert_delivery');
    expect(rows).toMatchObject([{ id: received[0]!.headers['webhook-id'], delivered_at: expect.any(Date) }]);
  });

  it('are told again until they are heard, signed, under the same id', async () => {
    const a = replica('a', { webhook: true });
    answers = [500, 429];
    await open(a);
    expect(types()).toEqual(['alert.opened']);
    await eventually(
      async () => {
        await a.look();
        return types();
      },
      (all) => all.length === 3,
    );
    await a.look();
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const { headers, body } of received) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${JSON.stringify(body)}`;
      const signature = createHmac('sha256', Buffer.from(SECRET, 'base64')).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    }
    await heal(a);
    await eventually(types, (all) => all.at(-1) === 'alert.resolved');
    expect(received.at(-1)!.body.data).toMatchObject({
      id: received[0]!.body.data.id,
      resolved_cause: 'the circuit has closed',
    });
  });

  it('are looked for also while the database hangs', async () => {
    const a = replica('a');
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    hangs = answer;
    a.seen.wrong = [model];
    await a.alerts.tick();
    await a.clock.advance(30_000);
    await a.alerts.tick();
    expect(a.alerts.active()).toHaveLength(1);
    resolve();
    await a.alerts.idle();
    await a.look();
    expect(await stored('open')).toHaveLength(1);
  });

  it('of a process that is gone are resolved by another', async () => {
    await open(replica('gone'));
    const b = replica('b', { webhook: true });
    await db.owner.query(`update alert set last_seen_at = now() - interval '299 seconds'`);
    await b.pass(0);
    await b.pass(300_000);
    expect(await stored('open')).toHaveLength(1);
    await db.owner.query(`update alert set last_seen_at = now() - interval '301 seconds'`);
    await b.pass(30_000);
    expect(await stored()).toMatchObject([{ resolvedCause: 'the process that saw it is gone' }]);
    await eventually(types, (all) => all.includes('alert.resolved'));
  });

  it('of others are left alone right after an outage, when nobody could say that he still sees them', async () => {
    await open(replica('a'));
    const b = replica('b');
    await b.pass(0);
    away = true;
    await b.pass(300_000);
    away = false;
    await db.owner.query(`update alert set last_seen_at = now() - interval '1 hour'`);
    await b.pass(1_000);
    expect(await stored('open')).toHaveLength(1);
  });

  it('that somebody else resolved while they go on are opened anew', async () => {
    const a = replica('a');
    await open(a);
    await db.owner.query(`update alert set resolved_at = now(), resolved_cause = 'by hand'`);
    await a.pass(30_000);
    expect(await stored('open')).toMatchObject([{ fingerprint: 'circuit-open:model@a' }]);
    expect(await stored()).toHaveLength(2);
  });
});
