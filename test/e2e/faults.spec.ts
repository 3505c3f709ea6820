import { randomUUID } from 'node:crypto';
import { ChatClient, QUESTION } from '../support/chat-client.js';
import { FakeModelServer } from '../support/fake-model-server.js';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

const PATH = '/v1/admin/faults';

interface FaultBody {
  id: string;
  hits: number;
}

describe('faults on purpose', () => {
  let model: FakeModelServer;
  let app: TestApp;
  let client: ChatClient;
  let operator: Record<string, string>;
  beforeAll(async () => {
    model = await FakeModelServer.start();
    app = await testApp({
      FAULTS_ENABLED: 'true',
      CHAT_MODELS: 'openai:gpt-test',
      OPENAI_BASE_URL: `${model.url}/v1`,
      OPENAI_API_KEY: 'k',
      CACHE_ANSWER_TTL_SECONDS: '1',
    });
    client = await new ChatClient(app).prepare();
    operator = await signedIn(app, 'operator');
    model.say({ text: ['The overall deductible is "$500 per person" [1].'] });
  }, 60_000);
  afterEach(() => app.fetch(PATH, { method: 'DELETE', headers: operator }));
  afterAll(async () => {
    await app?.close();
    await model?.close();
  });

  const create = (json: object) =>
    app.fetch(PATH, { json: { reason: 'a drill', ...json }, headers: operator });
  const list = async () =>
    (await (await app.fetch(PATH, { headers: operator })).json()) as { items: FaultBody[] };
  /** Each question is asked once, so that none is answered from the cache. */
  async function ask(headers: Record<string, string> = {}) {
    const response = await client.ask({ question: `${QUESTION} ${randomUUID()}` }, headers);
    expect(response.status).toBe(200);
    const { served_by } = (await response.json()) as { served_by: string };
    return {
      servedBy: served_by,
      level: response.headers.get('x-service-level'),
      fault: response.headers.get('x-fault'),
    };
  }
  const FULL = { servedBy: 'openai:gpt-test', level: 'full', fault: null };

  it('make a tagged question degrade, name themselves, and end by their own time', async () => {
    expect(await ask()).toEqual(FULL);
    const created = await create({
      dependency: 'model:*',
      kind: 'error',
      header: { name: 'x-fault-tag', value: 'drill' },
      ttl_seconds: 3,
    });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as FaultBody;

    const drill = { 'x-fault-tag': 'drill' };
    expect(await ask(drill)).toEqual({ servedBy: 'extractive', level: 'minimal', fault: id });
    expect(await ask({ 'x-fault-tag': 'other' })).toEqual(FULL);
    expect((await list()).items).toMatchObject([{ id, hits: expect.any(Number) }]);
    await eventually(list, ({ items }) => items.length === 0);
    expect(await ask(drill)).toEqual(FULL);
  });

  it('delay, and can be ended before their time', async () => {
    const created = await create({
      dependency: 'model:openai:gpt-test',
      operation: 'chat',
      kind: 'latency',
      parameters: { latency_ms: 50 },
    });
    const { id } = (await created.json()) as FaultBody;
    expect(await ask()).toEqual({ ...FULL, fault: id });
    expect((await app.fetch(`${PATH}/${id}`, { method: 'DELETE', headers: operator })).status).toBe(204);
    expect((await app.fetch(`${PATH}/${id}`, { method: 'DELETE', headers: operator })).status).toBe(404);
    expect(await ask()).toEqual(FULL);
  });

  it('of vectors that are wrong are seen by the check that all vectors pass, and search goes on by words', async () => {
    for (const kind of ['garbage', 'truncation', 'wrong-data']) {
      await create({ dependency: 'embedder', kind });
      const { level, fault } = await ask();
      expect([kind, level]).toEqual([kind, 'degraded']);
      expect(fault).not.toBeNull();
      await app.fetch(PATH, { method: 'DELETE', headers: operator });
      await app.fetch('/v1/admin/resilience/embedder/reset', {
        json: { reason: 'the drill is over' },
        headers: operator,
      });
    }
    const metrics = await (await app.fetch('/metrics', { headers: operator })).text();
    for (const reason of ['not-finite', 'wrong-dimension', 'wrong-count'])
      expect(metrics).toContain(`navigator_embedder_misbehaved_total{reason="${reason}"}`);
  });

  it('leave a record of who set and ended them, and are counted', async () => {
    await create({ dependency: 'parser', kind: 'hang', ttl_seconds: 30 });
    await app.fetch(PATH, { method: 'DELETE', headers: operator });
    const response = await app.fetch('/v1/audit/events?action=fault.*&limit=2', { headers: operator });
    expect(((await response.json()) as { items: object[] }).items).toMatchObject([
      { action: 'fault.clear', outcome: 'success', targets: [{ type: 'fault' }] },
      {
        action: 'fault.create',
        targets: [{ type: 'policy', id: 'parser' }],
        detail: { kind: 'hang', ttl_seconds: 30, reason: 'a drill' },
      },
    ]);
    const metrics = await (await app.fetch('/metrics', { headers: operator })).text();
    expect(metrics).toMatch(
      /navigator_faults_injected_total\{dependency="model:openai:gpt-test",kind="error"\} \d/,
    );
  });

  it.each([
    [{ dependency: 'parser', kind: 'error', ttl_seconds: 901 }],
    [{ dependency: 'parser', kind: 'error', rate: 2 }],
    [{ dependency: '*', kind: 'error' }],
    [{ dependency: 'parser', kind: 'latency' }],
    [{ dependency: 'postgres', kind: 'wrong-data' }],
    [{ dependency: 'password-hashing', kind: 'garbage' }],
    [{ dependency: 'parser', kind: 'wrong-data' }],
    [{ dependency: 'parser', kind: 'error', header: { name: 'authorization', value: 'x' } }],
  ])('are refused when they ask for too much: %j', async (fault) => {
    expect((await create(fault)).status).toBe(400);
    expect((await list()).items).toEqual([]);
  });

  it('are not for administrators of a tenant', async () => {
    const response = await app.fetch(PATH, {
      json: { dependency: 'parser', kind: 'error', reason: 'r' },
      headers: app.admin,
    });
    expect(response.status).toBe(403);
  });
});
