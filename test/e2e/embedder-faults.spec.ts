import { randomUUID } from 'node:crypto';
import { type EmbeddingFailure, FAKE_DIMENSIONS, FakeModelServer } from '../support/fake-model-server.js';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface DocumentBody {
  status: string;
  answerable: string;
  assessment: { warnings: string[]; passages_without_vector: string[] } | null;
  stages: { name: string; status: string; detail: { reason?: string } | null }[];
}

/** An embedder on another machine, which is the fake. */
describe('a program whose embedder', () => {
  let fake: FakeModelServer;
  let app: TestApp;
  let operator: Record<string, string>;
  beforeAll(async () => {
    fake = await FakeModelServer.start();
    app = await testApp({
      EMBEDDER_PROVIDER: 'compatible',
      EMBEDDER_MODEL: 'e5',
      EMBEDDER_DIMENSIONS: String(FAKE_DIMENSIONS),
      COMPATIBLE_BASE_URL: `${fake.url}/v1`,
      WORKER_POLL_MS: '100',
      WORKER_RETRY_DELAY_MS: '100',
    });
    operator = await signedIn(app, 'operator');
    await settled(await upload('The overall deductible is $500 per person.'));
  }, 60_000);
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });
  beforeEach(async () => {
    fake.follow({});
    const reset = await app.fetch('/v1/admin/resilience/embedder/reset', {
      json: { reason: 'the next test' },
      headers: operator,
    });
    expect(reset.status).toBe(200);
  });

  async function upload(...sections: string[]): Promise<string> {
    const text = sections.map((section, i) => `## Part ${i} ${randomUUID()}\n\n${section}`).join('\n\n');
    const body = new FormData();
    body.set('file', new Blob([text], { type: 'text/markdown' }), 'plan.md');
    const response = await app.fetch('/v1/documents', { method: 'POST', body, headers: app.admin });
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  }
  const documentOf = async (id: string) =>
    (await (await app.fetch(`/v1/documents/${id}`, { headers: app.admin })).json()) as DocumentBody;
  const settled = (id: string) =>
    eventually(
      () => documentOf(id),
      ({ status }) => status === 'ready' || status === 'failed',
    );
  const search = async () => {
    const query = `overall deductible ${randomUUID()}`;
    const response = await app.fetch('/v1/search', { json: { query }, headers: app.admin });
    expect(response.status).toBe(200);
    return (await response.json()) as { mode: string; hits: unknown[] };
  };
  const vectors = async () =>
    (await app.db.owner.query<{ bytes: number }>('select octet_length(vector) as bytes from passage_vector'))
      .rows;

  it('works is searched by meaning, with vectors of its size', async () => {
    expect(await search()).toMatchObject({ mode: 'hybrid' });
    expect(await vectors()).toEqual([{ bytes: FAKE_DIMENSIONS * 2 }]);
  });

  it.each<EmbeddingFailure>(['wrong-dimension', 'nan', 'other-model'])(
    'misbehaves (%s) is searched by words, stores nothing, says why, and goes on once it is well',
    async (failure) => {
      const before = await vectors();
      fake.follow({ embeddings: [{ failure }] });
      const id = await upload('Emergency room care has a $250 copay.', 'It is waived if you are admitted.');
      const waiting = await eventually(
        () => documentOf(id),
        ({ stages }) => stages.some(({ detail }) => detail?.reason === 'embedder-misbehaved'),
      );
      expect(waiting).toMatchObject({ status: 'processing', answerable: 'lexical' });
      expect(await search()).toMatchObject({ mode: 'lexical' });
      expect(await vectors()).toEqual(before);
      fake.follow({});
      expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
      expect(await vectors()).toHaveLength(before.length + 2);
      await eventually(search, ({ mode }) => mode === 'hybrid');
    },
  );

  it('answers out of order is understood', async () => {
    fake.follow({ embeddings: [{ failure: 'reordered' }] });
    const id = await upload('Preventive care costs nothing.', 'Physical therapy is limited to 20 visits.');
    expect(await settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
    expect(await search()).toMatchObject({ mode: 'hybrid' });
  });

  it('refuses one passage takes the others, and the document says which is missing', async () => {
    const before = await vectors();
    fake.follow({ embeddings: [{ failure: 'poisoned', poison: 'unspeakable' }] });
    const calls = fake.embeddingCalls.length;
    const sections = Array.from(
      { length: 16 },
      (_, i) => `It pays $${i} for ${i === 5 ? 'unspeakable' : 'usual'} care.`,
    );
    const id = await upload(...sections);
    const document = await settled(id);
    expect(document).toMatchObject({
      status: 'ready',
      answerable: 'semantic',
      assessment: { warnings: ['passages-without-vector'] },
    });
    expect(await vectors()).toHaveLength(before.length + 15);
    expect(fake.embeddingCalls.length - calls).toBeLessThanOrEqual(1 + 2 * Math.log2(16));
    const [missing] = document.assessment!.passages_without_vector;
    const passage = await app.fetch(`/v1/documents/${id}/passages/${missing}`, { headers: app.admin });
    expect(await passage.json()).toMatchObject({ ordinal: 5 });
  });

  it('is asked the same by many at the same moment is asked once', async () => {
    const calls = fake.embeddingCalls.length;
    fake.follow({ embeddings: [{ latencyMs: 200 }] });
    const query = `what is the deductible ${randomUUID()}`;
    const ask = () => app.fetch('/v1/search', { json: { query }, headers: app.admin });
    const modes = await Promise.all(
      Array.from({ length: 10 }, async () => ((await (await ask()).json()) as { mode: string }).mode),
    );
    expect(new Set(modes)).toEqual(new Set(['hybrid']));
    // A second one may be the hedge of the first.
    expect(fake.embeddingCalls.length - calls).toBeLessThanOrEqual(2);
  });
});
