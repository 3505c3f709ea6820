import { jest } from '@jest/globals';
import { type Environment, loadConfig } from '#libs/config';
import { planText } from '../../bench/plan-text.js';
import { sections } from '../../apps/api/src/app.config.js';
import { type Program, startProgram } from '../../apps/api/src/program.js';
import { FAKE_DIMENSIONS, FakeModelServer } from '../support/fake-model-server.js';
import { eventually } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

// The real parser and the real embedding model: seconds on a busy machine.
jest.setTimeout(60_000);

interface SearchBody {
  mode: string;
  reason: string | null;
  hits: { semantic_score: number | null }[];
}
interface Overview {
  embedding_models: { model: string; documents: number; configured: boolean }[];
}

const E5 = { PROVIDER: 'compatible', MODEL: 'e5', DIMENSIONS: String(FAKE_DIMENSIONS) };
const withPrefix = (prefix: string, settings: Record<string, string>): Environment =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${prefix}_${name}`, value]));

let fake: FakeModelServer;
let app: TestApp;
let next: Program | undefined;

beforeAll(async () => {
  fake = await FakeModelServer.start();
  const server = { COMPATIBLE_BASE_URL: `${fake.url}/v1` };
  app = await testApp({ ...withPrefix('EMBEDDER', E5), ...server, WORKER_POLL_MS: '100' });
});
afterAll(async () => {
  await next?.stop();
  await app.close();
  await fake.close();
});

async function call<T>(url: string, path: string, json?: unknown): Promise<T> {
  const response = await fetch(`${url}/v1${path}`, {
    method: json === undefined ? 'GET' : 'POST',
    headers: { ...app.admin, 'content-type': 'application/json' },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as T;
}

it('goes over to another embedding model without a search that compares words only', async () => {
  const form = new FormData();
  form.append('file', new File([planText(1, 4)], 'plan.md'));
  const sent = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
  const { id } = (await sent.json()) as { id: string };
  await eventually(
    () => call<{ status: string }>(app.url, `/documents/${id}`),
    ({ status }) => status === 'ready',
  );
  await app.program.stop();

  next = await startProgram(
    loadConfig(sections, {
      ...{ DATABASE_URL: app.db.url, DATA_DIR: app.dataDir, PORT: '0', LOG_LEVEL: 'silent' },
      ...{ WORKER_POLL_MS: '100', ADMISSION_LOOP_DELAY_MS: '600000', RATE_SEARCH_PER_MINUTE: '100000' },
      ...withPrefix('PREVIOUS_EMBEDDER', { ...E5, BASE_URL: `${fake.url}/v1` }),
    }),
  );
  const { url } = next;
  const search = () => call<SearchBody>(url, '/search', { query: 'what does the plan pay', limit: 20 });
  /** What a search is like that compared every passage by its meaning. */
  const whole = {
    ...{ mode: 'hybrid', reason: null },
    hits: Array.from({ length: 4 }, () => expect.objectContaining({ semantic_score: expect.any(Number) })),
  };
  expect(await search()).toMatchObject(whole);
  const overview = () => call<Overview>(url, '/ingestion');
  expect(await overview()).toMatchObject({
    embedding_models: [{ model: 'compatible:e5:64', documents: 1, configured: false }],
  });

  const order = await call<{ id: string }>(url, '/reindexes', { scope: { everything: true }, from: 'embed' });
  let searches = 0;
  await eventually(
    async () => {
      expect(await search()).toMatchObject(whole);
      searches += 1;
      return call<{ finished_at: string | null }>(url, `/reindexes/${order.id}`);
    },
    ({ finished_at }) => finished_at !== null,
  );
  expect(searches).toBeGreaterThan(0);
  expect(await search()).toMatchObject(whole);
  expect(await overview()).toMatchObject({
    embedding_models: [{ model: 'use-lite-en-1', documents: 1, configured: true }],
  });
});
