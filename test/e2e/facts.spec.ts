import { setTimeout as delay } from 'node:timers/promises';
import type { ComparisonBody, FactsBody } from '../../apps/api/src/ingestion/facts/facts.dto.js';
import { testApp, type TestApp } from '../support/test-app.js';

/** What two plans say at a glance, from their upload on. */

let app: TestApp;
let cedar: string;
let birch: string;

const planOf = (name: string, deductible: string, visit: string) => `# ${name} Benefits Booklet

${name} is in effect from January 1, 2026 to December 31, 2026. Call Member Services at 612-555-0142.

## At a glance

| What | In-network | Out-of-network |
|---|---|---|
| Deductible, one person | ${deductible} | $3,500 |
| Primary care visit | ${visit} | 40% after deductible |

## What the plan does not cover

- Cosmetic surgery
- Private-duty nursing
`;

beforeAll(async () => {
  app = await testApp();
  cedar = await ready(planOf('Cedar 1500 PPO', '$1,500', '$25 copay'), 'cedar.md');
  birch = await ready(planOf('Birch 900 HMO', '$900', '$25 copay'), 'birch.md');
}, 120_000);

afterAll(() => app?.close(), 60_000);

async function ready(content: string, filename: string, title?: string): Promise<string> {
  const body = new FormData();
  if (title) body.append('title', title);
  body.append('file', new Blob([content]), filename);
  const uploaded = await app.fetch('/v1/documents', { method: 'POST', body, headers: app.admin });
  const { id } = (await uploaded.json()) as { id: string };
  for (;;) {
    const response = await app.fetch(`/v1/documents/${id}`, { headers: app.admin });
    const { status } = (await response.json()) as { status: string };
    if (status === 'ready') return id;
    expect(['queued', 'processing']).toContain(status);
    await delay(50);
  }
}

it('a plan is shown with its kind and its facts, each at its place', async () => {
  const response = await app.fetch(`/v1/documents/${cedar}/facts`, { headers: app.admin });
  const facts = (await response.json()) as FactsBody;
  expect(response.status).toBe(200);
  expect(facts).toMatchObject({
    document_id: cedar,
    kind: 'plan_booklet',
    language: 'en',
    found_by: 'rules',
  });
  const said = facts.facts.map(({ key, network, value }) => [key, network, value].filter(Boolean).join(' '));
  expect(said).toEqual(
    expect.arrayContaining([
      'plan_name Cedar 1500 PPO',
      'period January 1, 2026 to December 31, 2026',
      'phone 612-555-0142',
      'deductible in $1,500',
      'deductible out $3,500',
      'service_cost in $25 copay',
      'exclusion Cosmetic surgery',
    ]),
  );
  for (const { value, source } of facts.facts) {
    const found = await app.fetch(`/v1/documents/${cedar}/passages/${source.passage_id}`, {
      headers: app.admin,
    });
    const { text } = (await found.json()) as { text: string };
    expect(text.slice(source.start, source.end)).toBe(value);
  }
}, 60_000);

it('a page is called by its own title, unless somebody gave it one', async () => {
  const page =
    '<html><head><title>Travel rules</title></head><body><p>The plan pays abroad, too.</p></body></html>';
  const titleOf = async (id: string) => {
    const response = await app.fetch(`/v1/documents/${id}`, { headers: app.admin });
    return ((await response.json()) as { title: string }).title;
  };
  expect(await titleOf(await ready(page, 'p1.html'))).toBe('Travel rules');
  expect(await titleOf(await ready(page.replace('abroad', 'everywhere'), 'p2.html', 'Mine'))).toBe('Mine');
}, 60_000);

it('two plans are laid side by side, with what differs', async () => {
  const response = await app.fetch('/v1/facts/compare', {
    json: { document_ids: [cedar, birch] },
    headers: app.admin,
  });
  const { documents, rows } = (await response.json()) as ComparisonBody;
  expect(response.status).toBe(200);
  expect(documents.map(({ plan_name }) => plan_name)).toEqual(['Cedar 1500 PPO', 'Birch 900 HMO']);
  const row = (key: string, network: string | null) =>
    rows.find((each) => each.key === key && each.network === network)!;
  expect(row('deductible', 'in')).toMatchObject({ differs: true });
  expect(row('deductible', 'in').values.map((value) => value?.amount?.amount)).toEqual([1500, 900]);
  expect(row('deductible', 'out').differs).toBe(false);
  expect(row('service_cost', 'in').differs).toBe(false);
});

it.each([
  ['one document', () => [cedar]],
  ['a document twice', () => [cedar, cedar]],
])('%s is not compared', async (_, documentIds) => {
  const response = await app.fetch('/v1/facts/compare', {
    json: { document_ids: documentIds() },
    headers: app.admin,
  });
  expect(response.status).toBe(400);
});

it('a document that is not there has no facts', async () => {
  const response = await app.fetch('/v1/documents/0198c5f0-0000-7000-8000-000000000000/facts', {
    headers: app.admin,
  });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'document-not-found' });
});
