import { randomUUID } from 'node:crypto';
import { SearchBody } from '../../apps/api/src/rag/retrieval/search.dto.js';
import { ChatClient } from '../support/chat-client.js';
import { testApp, type TestApp } from '../support/test-app.js';

const PLAN = `# Emergency care

An ambulance ride costs $250. You do not need approval in an emergency.

# Eyes

Glasses are paid for once every two years, up to $1,500 in all.
`;

describe('POST /v1/search', () => {
  let app: TestApp;
  let documentId: string;

  beforeAll(async () => {
    app = await testApp();
    documentId = await new ChatClient(app).upload('plan.md', PLAN);
  }, 60_000);
  afterAll(() => app.close());

  const post = (json: unknown, headers = app.admin) => app.fetch('/v1/search', { json, headers });
  const search = async (json: object) => {
    const response = await post(json);
    expect(response.status).toBe(200);
    return SearchBody.parse(await response.json());
  };

  it('finds passages by words and meaning and says where they stand', async () => {
    const { hits, mode, reason } = await search({ query: 'What does an ambulance cost?' });
    expect({ mode, reason }).toEqual({ mode: 'hybrid', reason: null });
    expect(hits[0]).toMatchObject({
      document_id: documentId,
      document_title: 'plan',
      kind: 'prose',
      text: 'An ambulance ride costs $250. You do not need approval in an emergency.',
      heading_path: ['Emergency care'],
      page: null,
      lexical_score: 1,
    });
    expect(hits[0]!.semantic_score).toBeGreaterThan(0.3);
  });

  it('finds an amount however it is written', async () => {
    const { hits } = await search({ query: '1500 dollars' });
    expect(hits[0]!.text).toMatch(/^Glasses/);
  });

  it('keeps to the documents, the collection and the limit that it is given', async () => {
    const query = 'ambulance or glasses';
    expect((await search({ query })).hits).toHaveLength(2);
    expect((await search({ query, limit: 1 })).hits).toHaveLength(1);
    expect((await search({ query, document_ids: [documentId] })).hits).toHaveLength(2);
    expect((await search({ query, document_ids: [randomUUID()] })).hits).toEqual([]);
    expect((await search({ query, collection: 'another' })).hits).toEqual([]);
    expect((await search({ query, tags: ['another'] })).hits).toEqual([]);
  });

  it.each([
    ['no query', {}],
    ['an empty query', { query: '  ' }],
    ['a query of a book', { query: 'x'.repeat(4_001) }],
    ['a limit beyond 100', { query: 'x', limit: 101 }],
    ['ids that are none', { query: 'x', document_ids: ['1'] }],
    ['a field that does not exist', { query: 'x', tenant_id: randomUUID() }],
  ])('refuses %s', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
  });

  it('asks who is asking', async () => {
    expect((await post({ query: 'ambulance' }, {})).status).toBe(401);
  });
});
