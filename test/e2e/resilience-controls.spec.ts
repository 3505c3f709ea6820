import { eventually, signedIn } from '../support/operator.js';
import { readEvents } from '../support/event-reader.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface PolicyBody {
  name: string;
  version: number;
  state: string;
  override: { action: string; scope: string; reason: string; expires_at: string } | null;
  window: { calls: number };
}
interface OrderTaken {
  policy: string;
  version: number;
  action: string;
  changed: boolean;
  expires_at: string;
  audit_record: string;
}
interface AuditEvent {
  action: string;
  outcome: string;
  targets: { type: string; id: string }[];
  detail: Record<string, unknown>;
}

const PATH = '/v1/admin/resilience';
const because = { reason: 'a drill' };

describe("operators' orders to policies", () => {
  let a: TestApp;
  let b: TestApp;
  let operator: Record<string, string>;
  beforeAll(async () => {
    a = await testApp({
      CHAT_MODELS: 'compatible:llama3.1:8b',
      COMPATIBLE_BASE_URL: 'http://127.0.0.1:9/v1',
    });
    b = await secondApp();
    operator = await signedIn(a, 'operator');
  });
  afterAll(async () => {
    await b?.close();
    await a?.close();
  });

  /** Another process of the same installation. */
  const secondApp = () =>
    testApp({
      DATABASE_URL: a.db.url,
      DATA_DIR: a.dataDir,
      CHAT_MODELS: 'compatible:llama3.1:8b',
      COMPATIBLE_BASE_URL: 'http://127.0.0.1:9/v1',
    });
  const order = (app: TestApp, path: string, json: object, headers: object = {}) =>
    app.fetch(`${PATH}/${path}`, { json, headers: { ...operator, ...headers } as Record<string, string> });
  const lift = (app: TestApp, policy: string, json?: object) =>
    app.fetch(`${PATH}/${policy}/override`, { method: 'DELETE', json, headers: operator });
  async function taken(response: Response): Promise<OrderTaken> {
    expect({ status: response.status, body: response.ok ? '' : await response.text() }).toEqual({
      status: 200,
      body: '',
    });
    return (await response.json()) as OrderTaken;
  }
  async function policy(app: TestApp, name: string): Promise<PolicyBody> {
    const response = await app.fetch(`${PATH}/${name}`, { headers: operator });
    expect(response.status).toBe(200);
    return (await response.json()) as PolicyBody;
  }
  const inState = (app: TestApp, name: string, state: string) =>
    eventually(
      () => policy(app, name),
      (seen) => seen.state === state,
    );
  async function auditEvents(query: string): Promise<AuditEvent[]> {
    const response = await a.fetch(`/v1/audit/events?${query}`, { headers: operator });
    return ((await response.json()) as { items: AuditEvent[] }).items;
  }

  it('are for operators only, and refusals are recorded', async () => {
    for (const role of ['member', 'manager', 'admin']) {
      const headers = await signedIn(a, role);
      for (const path of [
        PATH,
        `${PATH}/events`,
        `${PATH}/postgres`,
        '/debug/resilience',
        '/v1/admin/alerts',
        '/v1/admin/faults',
      ])
        expect((await a.fetch(path, { headers })).status).toBe(403);
      const response = await a.fetch(`${PATH}/parser/isolate`, { json: because, headers });
      expect(response.status).toBe(403);
    }
    expect((await policy(a, 'parser')).state).toBe('closed');
    expect(await auditEvents('action=resilience.isolate&outcome=denied')).toHaveLength(3);
    expect((await a.fetch(`${PATH}/parser/isolate`, { json: because })).status).toBe(401);
  });

  it('list every policy and capability with a version', async () => {
    const response = await a.fetch(PATH, { headers: operator });
    const body = (await response.json()) as {
      version: number;
      fleet_reached: boolean;
      policies: PolicyBody[];
      capabilities: { capability: string; level: string }[];
    };
    expect(response.headers.get('etag')).toBe(`"${body.version}"`);
    expect(body.fleet_reached).toBe(true);
    expect(body.policies.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['postgres', 'embedder', 'model:compatible:llama3.1:8b', 'webhook']),
    );
    expect(body.capabilities).toContainEqual(
      expect.objectContaining({ capability: 'ingest.accept', level: 'full' }),
    );
  });

  it('reach the other processes, are recorded with their change, and can be lifted', async () => {
    const name = encodeURIComponent('model:compatible:llama3.1:8b');
    const isolated = await taken(await order(a, `${name}/isolate`, { reason: 'too dear', ticket: 'OPS-1' }));
    expect(isolated).toMatchObject({
      policy: 'model:compatible:llama3.1:8b',
      changed: true,
      audit_record: 'log',
    });
    expect((await policy(a, name)).state).toBe('isolated');
    expect((await inState(b, name, 'isolated')).override).toMatchObject({
      action: 'isolate',
      scope: 'fleet',
      reason: 'too dear',
    });

    expect(await auditEvents('action=resilience.isolate&outcome=success')).toMatchObject([
      {
        targets: [{ type: 'policy', id: 'model:compatible:llama3.1:8b' }],
        detail: {
          scope: 'fleet',
          reason: 'too dear',
          ticket: 'OPS-1',
          ttl_seconds: 900,
          version: isolated.version,
        },
      },
    ]);
    await taken(await lift(b, name));
    expect((await policy(b, name)).override).toBeNull();
    await inState(a, name, 'closed');
  });

  it('are the same order when they are given again while they are in force', async () => {
    const first = await taken(await order(a, 'parser/shadow', because));
    const again = await taken(await order(a, 'parser/shadow', because));
    expect(again).toEqual({ ...first, changed: false });
    const other = await taken(await order(a, 'parser/shadow', { ...because, ttl_seconds: 1_000 }));
    expect(other).toMatchObject({ changed: true, version: first.version + 1 });
    await taken(await lift(a, 'parser'));
  });

  it('are refused when somebody else was faster', async () => {
    const { version } = await policy(a, 'embedder');
    const etag = { 'if-match': `"${version}"` };
    await taken(await order(a, 'embedder/shadow', because, etag));
    const late = await order(b, 'embedder/disable', because, etag);
    expect(late.status).toBe(412);
    expect(await late.json()).toMatchObject({ code: 'order-outdated', version: version + 1 });
    expect((await order(a, 'embedder/disable', because, { 'if-match': 'soon' })).status).toBe(400);
    await taken(await order(a, 'embedder/reset', because, { 'if-match': '*' }));
    await inState(b, 'embedder', 'closed');
  });

  it('only one of many that come at once for the same version is taken', async () => {
    const { version } = await policy(a, 'blob-store');
    const etag = { 'if-match': `"${version}"` };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        order(i % 2 ? a : b, 'blob-store/shadow', { reason: `number ${i}` }, etag),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)]);
    await taken(await lift(a, 'blob-store'));
  });

  it('refuse what is no order', async () => {
    const missing = await order(a, 'nobody/isolate', because);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 'policy-not-found' });
    const slashed = await order(a, `${encodeURIComponent('model:compatible:meta/llama')}/isolate`, because);
    expect(await slashed.json()).toMatchObject({ code: 'policy-not-found' });
    for (const json of [
      {},
      { reason: '' },
      { ...because, ttl_seconds: 86_401 },
      { ...because, ttl_seconds: 0 },
      { ...because, scope: 'all' },
    ])
      expect((await order(a, 'parser/isolate', json)).status).toBe(400);
    expect((await policy(a, 'parser')).state).toBe('closed');
  });

  it('end when their time is up', async () => {
    const { expires_at } = await taken(await order(a, 'parser/isolate', { ...because, ttl_seconds: 3 }));
    await inState(b, 'parser', 'isolated');
    await inState(a, 'parser', 'closed');
    await inState(b, 'parser', 'closed');
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at) - 50);
    expect((await policy(a, 'parser')).override).toBeNull();
  });

  it('to one replica stay there, until the fleet is given another', async () => {
    expect(await taken(await order(a, 'parser/disable', { ...because, scope: 'replica' }))).toMatchObject({
      audit_record: 'log',
    });
    expect(await taken(await order(a, 'parser/disable', { ...because, scope: 'replica' }))).toMatchObject({
      changed: false,
    });
    expect((await policy(a, 'parser')).override).toMatchObject({ action: 'disable', scope: 'replica' });
    expect((await policy(b, 'parser')).state).toBe('closed');
    await taken(await order(b, 'parser/shadow', because));
    await inState(a, 'parser', 'metrics-only');
    await taken(await lift(a, 'parser', { scope: 'replica' }));
    expect((await policy(a, 'parser')).state).toBe('closed');
    expect((await policy(b, 'parser')).state).toBe('metrics-only');
    await taken(await lift(b, 'parser'));
  });

  it('survive a restart', async () => {
    await taken(await order(a, 'embedder/isolate', { reason: 'kept' }));
    await b.close();
    b = await secondApp();
    expect(await policy(b, 'embedder')).toMatchObject({ state: 'isolated', override: { reason: 'kept' } });
    await taken(await order(b, 'embedder/close', because));
    await inState(a, 'embedder', 'closed');
  });

  it('can isolate the database itself and let it go again', async () => {
    await taken(await order(a, 'postgres/isolate', because));
    expect((await a.fetch('/health/level').then((r) => r.json())) as object).toMatchObject({
      level: 'unavailable',
    });
    const unreachable = await order(a, 'postgres/close', because);
    expect(unreachable.status).toBe(503);
    expect(await unreachable.json()).toMatchObject({ code: 'fleet-unreachable' });

    const here = await taken(await lift(a, 'postgres', { scope: 'replica' }));
    expect(here).toMatchObject({ audit_record: 'disk' });
    expect((await policy(a, 'postgres')).state).toBe('closed');
    await taken(await lift(a, 'postgres'));
    await inState(b, 'postgres', 'closed');
    // The order that only the disk could take is in the log by now or soon.
    await eventually(
      () => auditEvents('action=resilience.lift&target_id=postgres'),
      (events) => events.some(({ detail }) => detail.scope === 'replica'),
    );
  });

  it('are told live, from where the reader left off', async () => {
    const tail = (headers: object) =>
      a.fetch(`${PATH}/cache/events`, {
        headers: { ...operator, ...headers, accept: 'text/event-stream' } as Record<string, string>,
        signal: AbortSignal.timeout(20_000),
      });
    await taken(await order(a, 'cache/isolate', because));
    const events = readEvents(await tail({}));
    const first = (await events.next()).value!;
    expect(first).toMatchObject({ event: 'policy', data: { policy: 'cache', to: 'isolated' } });
    await taken(await lift(a, 'cache'));
    const second = (await events.next()).value!;
    expect(second.data).toMatchObject({ policy: 'cache', from: 'isolated', to: 'closed' });
    await events.return(undefined);

    const resumed = readEvents(await tail({ 'last-event-id': first.id }));
    expect((await resumed.next()).value).toEqual(second);
    await resumed.return(undefined);
    const listed = await a.fetch(`${PATH}/cache/events?limit=1`, { headers: operator });
    const { items, next_cursor } = (await listed.json()) as { items: object[]; next_cursor: string };
    expect(items).toEqual([first.data]);
    const next = await a.fetch(`${PATH}/events?limit=100&cursor=${next_cursor}`, { headers: operator });
    expect(((await next.json()) as { items: object[] }).items[0]).toEqual(second.data);
  });

  it('leave what circuits did in the log of the installation', async () => {
    const events = await eventually(
      () => auditEvents('scope=installation&action=resilience.transition&target_id=cache'),
      (found) => found.length >= 2,
    );
    expect(events.map(({ detail }) => [detail.from, detail.to])).toEqual(
      expect.arrayContaining([
        ['closed', 'isolated'],
        ['isolated', 'closed'],
      ]),
    );
  });

  it('come without faults, unless those were enabled at start', async () => {
    const json = { dependency: 'parser', kind: 'error', reason: 'r' };
    for (const init of [{}, { json }, { method: 'DELETE' }]) {
      const response = await a.fetch('/v1/admin/faults', { ...init, headers: operator });
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({ code: 'faults-disabled' });
    }
  });

  it('are on one page with everything else', async () => {
    await taken(await order(a, 'webhook/shadow', because));
    const response = await a.fetch('/debug/resilience', { headers: operator });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      version: expect.stringMatching(/^insurance-navigator@/),
      uptime_seconds: expect.any(Number),
      policies: expect.arrayContaining([expect.objectContaining({ name: 'webhook', state: 'metrics-only' })]),
      health: { status: expect.any(String), components: { database: { status: 'up' } } },
      alerts: expect.any(Array),
      faults: { enabled: false, items: [] },
      fleet_reached: true,
    });
    await taken(await lift(a, 'webhook'));
  });
});
