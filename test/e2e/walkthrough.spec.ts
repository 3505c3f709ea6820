import { readFile } from 'node:fs/promises';
import { testApp, type TestApp } from '../support/test-app.js';

interface DocumentBody {
  id: string;
  status: string;
  answerable: string;
  reason: { code: string } | null;
}
interface AnswerBody {
  answer: string;
  not_in_documents: boolean;
  served_by: string;
  service_level: string;
  citations: {
    document_id: string;
    passage_id: string;
    quote: string;
    source_start: number;
    source_end: number;
    answer_start: number;
    answer_end: number;
  }[];
}

const SAMPLES = ['claim-letter.docx', 'faq.html'];

describe('the main job, on the embedded model', () => {
  let app: TestApp;
  let conversation: string;
  const documents: DocumentBody[] = [];

  beforeAll(async () => {
    app = await testApp();
    for (const name of SAMPLES) documents.push(await upload(name));
    for (const document of documents) await ready(document.id);
    const created = await app.fetch('/v1/conversations', { json: {}, headers: app.admin });
    conversation = ((await created.json()) as { id: string }).id;
  }, 120_000);
  afterAll(() => app.close());

  async function upload(name: string): Promise<DocumentBody> {
    const form = new FormData();
    form.append('file', new File([await readFile(`demo/samples/${name}`)], name));
    const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
    expect(response.status).toBe(202);
    const document = (await response.json()) as DocumentBody;
    expect(response.headers.get('location')).toBe(`/v1/documents/${document.id}`);
    return document;
  }

  /** Reads the document's events to their end: the stream itself says when there is nothing more to wait for. */
  async function ready(id: string): Promise<void> {
    const events = await (await app.fetch(`/v1/documents/${id}/events`, { headers: app.admin })).text();
    expect(events).toMatch(/event: done/);
  }

  async function ask(question: string): Promise<AnswerBody> {
    const response = await app.fetch(`/v1/conversations/${conversation}/questions`, {
      json: { question },
      headers: app.admin,
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-service-level')).toBe('full');
    return (await response.json()) as AnswerBody;
  }

  it('ends with documents that can be asked by meaning', async () => {
    for (const { id } of documents) {
      const document = await (await app.fetch(`/v1/documents/${id}`, { headers: app.admin })).json();
      expect(document).toMatchObject({ status: 'ready', answerable: 'semantic', reason: null });
    }
  });

  it.each([
    ['Why was my MRI claim denied?', 'prior authorization'],
    ['Until what age is my child covered?', '26'],
  ])('answers %j with a quote that holds %j', async (question, expected) => {
    const answer = await ask(question);
    expect(answer).toMatchObject({ not_in_documents: false, served_by: 'extractive', service_level: 'full' });
    expect(answer.citations.map((citation) => citation.quote).join(' ')).toContain(expected);
  });

  it('quotes exactly what stands in the passage and in the answer', async () => {
    const { answer, citations } = await ask('Why was my MRI claim denied?');
    expect(citations.length).toBeGreaterThan(0);
    for (const citation of citations) {
      const path = `/v1/documents/${citation.document_id}/passages/${citation.passage_id}`;
      const { text } = (await (await app.fetch(path, { headers: app.admin })).json()) as { text: string };
      expect(text.slice(citation.source_start, citation.source_end)).toBe(citation.quote);
      expect(answer.slice(citation.answer_start, citation.answer_end)).toContain(citation.quote);
    }
  });

  it('says that it is not in the documents when it is not', async () => {
    await expect(ask('Does my plan pay for flood damage to my house?')).resolves.toMatchObject({
      not_in_documents: true,
      citations: [],
    });
  });

  it('answers a question that was asked before from the cache, and says so', async () => {
    await ask('Until what age is my child covered?');
    await expect(ask('Until what age is my child covered?')).resolves.toMatchObject({ served_by: 'cache' });
  });

  it('leaves nothing of a deleted document to answer from', async () => {
    const [letter] = documents;
    const deleted = await app.fetch(`/v1/documents/${letter!.id}`, { method: 'DELETE', headers: app.admin });
    expect(deleted.status).toBe(204);
    const { citations } = await ask('Why was my MRI claim denied?');
    expect(citations.filter((citation) => citation.document_id === letter!.id)).toEqual([]);
  });

  it('has recorded every change with the person who made it, and no text', async () => {
    const response = await app.fetch('/v1/audit/events?limit=100', { headers: app.admin });
    const { items } = (await response.json()) as { items: { action: string; personal: unknown }[] };
    const actions = items.map((event) => event.action);
    expect(actions).toEqual(expect.arrayContaining(['document.upload', 'document.delete', 'auth.login']));
    // Personal data stands beside the events, sealed, and is shown to those who may read the log.
    const events = items.map(({ personal: _, ...event }) => event);
    expect(JSON.stringify(events)).not.toMatch(/MRI|claim-letter|@/);
  });
});
