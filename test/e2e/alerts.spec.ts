import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface AlertBody {
  id: string;
  rule: string;
  subject: string;
  severity: string;
  state: string;
  resolved_cause: string | null;
}
interface AlertPage {
  items: AlertBody[];
  next_cursor: string | null;
  source: string;
}
interface Message {
  type: string;
  data: { id: string; rule: string; subject: string };
}

const MODEL = 'model:compatible:llama3.1:8b';
const ALERTS = '/v1/admin/alerts';

describe('alerts of a running program', () => {
  let app: TestApp;
  let operator: Record<string, string>;
  let webhook: Server;
  const messages: Message[] = [];
  let refusals = 1;

  beforeAll(async () => {
    webhook = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const isRefused = refusals-- > 0;
        if (!isRefused) messages.push(JSON.parse(text) as Message);
        response.writeHead(isRefused ? 500 : 204).end();
      });
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    app = await testApp({
      CHAT_MODELS: 'compatible:llama3.1:8b',
      COMPATIBLE_BASE_URL: 'http://127.0.0.1:9/v1',
      ALERT_FOR_MS: '100',
      ALERT_RESOLVE_MS: '100',
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook`,
      ALERT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 3).toString('base64')}`,
    });
    operator = await signedIn(app, 'operator');
  });
  afterAll(async () => {
    await app?.close();
    webhook?.closeAllConnections();
    await new Promise((resolve) => webhook?.close(resolve));
  });

  async function alerts(query: string): Promise<AlertPage> {
    const response = await app.fetch(`${ALERTS}?${query}`, { headers: operator });
    expect(response.status).toBe(200);
    return (await response.json()) as AlertPage;
  }
  const order = (policy: string, action: string, body: object) =>
    app.fetch(`/v1/admin/resilience/${encodeURIComponent(policy)}/${action}`, {
      json: { reason: 'a drill', ...body },
      headers: operator,
    });
  const about = (policy: string) => (page: AlertPage) =>
    page.items.some(({ rule, subject }) => rule === 'policy-overridden' && subject === policy);

  it('open, are told although the webhook fails at first, and resolve with their cause', async () => {
    expect((await order(MODEL, 'isolate', {})).status).toBe(200);
    const { items, source } = await eventually(() => alerts('severity=warning'), about(MODEL));
    expect(source).toBe('database');
    const { id } = items.find(({ subject }) => subject === MODEL)!;
    const metrics = await (await app.fetch('/metrics', { headers: operator })).text();
    expect(metrics).toContain('navigator_alerts_active{rule="policy-overridden",severity="warning"} 1');
    await eventually(
      () => messages,
      (all) => all.some(({ type, data }) => type === 'alert.opened' && data.id === id),
    );

    await order(MODEL, 'close', {});
    const resolved = await eventually(
      () => alerts('state=resolved&limit=100'),
      (page) => page.items.some((alert) => alert.id === id),
    );
    expect(resolved.items.find((alert) => alert.id === id)).toMatchObject({
      state: 'resolved',
      resolved_cause: 'the override has ended',
    });
    await eventually(
      () => messages,
      (all) => all.some(({ type, data }) => type === 'alert.resolved' && data.id === id),
    );
  });

  it('never fail readiness: a model that is out of reach is no reason to send requests elsewhere', async () => {
    await order(MODEL, 'isolate', { scope: 'replica' });
    const page = await (await app.fetch('/health/level')).json();
    expect(page).toMatchObject({
      level: expect.stringMatching(/^(minimal|degraded)$/),
      capabilities: { 'answer.generate': { reasons: [expect.stringContaining(MODEL)] } },
    });
    expect((await app.fetch('/health/ready')).status).toBe(200);
    const health = await app.fetch('/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({
      status: 'degraded',
      components: { [MODEL]: { status: 'degraded', circuit: 'isolated' }, database: { circuit: 'closed' } },
    });
    await order(MODEL, 'close', { scope: 'replica' });
  });

  it('are shown from memory while the database is away', async () => {
    await order('postgres', 'isolate', { scope: 'replica' });
    const { source } = await eventually(() => alerts('state=open'), about('postgres'));
    expect(source).toBe('memory');
    expect((await app.fetch(`${ALERTS}?state=resolved`, { headers: operator })).status).toBe(503);
    await order('postgres', 'close', { scope: 'replica' });
    const back = await eventually(
      () => alerts('state=all&limit=100'),
      (page) => page.source === 'database' && about('postgres')(page),
    );
    expect(back.items.find(({ subject }) => subject === 'postgres')).toBeDefined();
  });

  it('come in pages', async () => {
    const { items: all } = await eventually(
      () => alerts('state=resolved&limit=100'),
      ({ items }) => items.length > 1,
    );
    const found: AlertBody[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: AlertPage = await alerts(`state=resolved&limit=1${cursor ? `&cursor=${cursor}` : ''}`);
      found.push(...page.items);
      cursor = page.next_cursor;
    }
    // Others may have been resolved meanwhile.
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(all.map(({ id }) => id)));
    expect((await app.fetch(`${ALERTS}?state=closed`, { headers: operator })).status).toBe(400);
  });
});
