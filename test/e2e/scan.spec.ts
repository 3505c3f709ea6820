import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayBuffer } from 'node:stream/consumers';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import PDFDocument from 'pdfkit';
import UTIF from 'utif2';
import { AnswerBody } from '../../apps/api/src/chat/questions/answer.dto.js';
import type { PassageBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import { ChatClient } from '../support/chat-client.js';
import { FakeModelServer } from '../support/fake-model-server.js';
import { testApp, type TestApp } from '../support/test-app.js';

/** A heading, a paragraph and a table with borders, in black and white as a fax machine sends it. */
const PAGE = join(import.meta.dirname, '../fixtures/plan-page.png');

/** A page that is nothing but a picture, behind one that is text. */
async function scannedPdf(): Promise<Buffer<ArrayBuffer>> {
  const pdf = new PDFDocument({ size: 'LETTER', margin: 72 });
  pdf.text('This letter is about your plan. The next page was scanned from the booklet that we sent you.');
  pdf.addPage({ size: [500, 350], margin: 0 }).image(PAGE, 0, 0, { width: 500 });
  pdf.end();
  return Buffer.from(await arrayBuffer(pdf));
}

async function tiff(): Promise<Buffer<ArrayBuffer>> {
  const page = await loadImage(await readFile(PAGE));
  const canvas = createCanvas(page.width, page.height);
  const context = canvas.getContext('2d');
  context.drawImage(page, 0, 0);
  const { data } = context.getImageData(0, 0, page.width, page.height);
  return Buffer.from(UTIF.encodeImage(new Uint8Array(data.buffer), page.width, page.height));
}

interface Stage {
  name: string;
  detail: Record<string, unknown>;
}

const documentOf = async (app: TestApp, id: string) =>
  (await (await app.fetch(`/v1/documents/${id}`, { headers: app.admin })).json()) as {
    status: string;
    reason: { code: string } | null;
    stages: Stage[];
  };
const passagesOf = async (app: TestApp, id: string) => {
  const response = await app.fetch(`/v1/documents/${id}/passages`, { headers: app.admin });
  return ((await response.json()) as { items: PassageBody[] }).items;
};

describe('a scan', () => {
  let app: TestApp;
  let documentId: string;

  beforeAll(async () => {
    app = await testApp({ OCR_PROCESSES: '1' });
    documentId = await new ChatClient(app).upload('letter.pdf', await scannedPdf());
  }, 240_000);
  afterAll(() => app.close());

  it('is read beside pages that have text', async () => {
    const passages = await passagesOf(app, documentId);
    const texts = passages.map(({ page, text }) => [page, text]);
    expect(texts).toContainEqual([1, expect.stringContaining('This letter is about your plan.')]);
    expect(texts).toContainEqual([
      2,
      expect.stringContaining('The deductible is $1,500 per person each year.'),
    ]);
    expect(passages.find(({ text }) => text.includes('Emergency room'))!.text).toContain('$250');
    expect((await documentOf(app, documentId)).status).toBe('ready');
  });

  it('answers a question with its words, and says on which page they stand', async () => {
    const client = new ChatClient(app);
    client.conversationId = await client.converse();
    const response = await client.ask({ question: 'What is the deductible?' });
    const { citations } = AnswerBody.parse(await response.json());
    expect(citations).toContainEqual(
      expect.objectContaining({
        document_id: documentId,
        page: 2,
        quote: expect.stringContaining('The deductible is $1,500 per person each year.'),
      }),
    );
  }, 60_000);

  it('may be a picture of its own', async () => {
    const id = await new ChatClient(app).upload('page.tif', await tiff());
    const [first, ...rest] = await passagesOf(app, id);
    expect(first!.page).toBe(1);
    expect([first, ...rest].map((passage) => passage!.text).join(' ')).toContain('The deductible is $1,500');
  }, 240_000);

  it('is refused with a reason when it would take more memory than there is', async () => {
    const bomb = Buffer.from(await readFile(PAGE));
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const form = new FormData();
    form.set('file', new Blob([bomb]), 'page.png');
    const upload = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
    const { id } = (await upload.json()) as { id: string };
    for (;;) {
      const { status, reason } = await documentOf(app, id);
      if (status !== 'failed') continue;
      expect(reason).toMatchObject({ code: 'image-too-large', message: expect.stringContaining('pixels') });
      break;
    }
  }, 60_000);
});

describe('a scan that an outside model reads', () => {
  let app: TestApp;
  let model: FakeModelServer;

  beforeAll(async () => {
    model = await FakeModelServer.start();
    const outside = {
      OCR_PROVIDER: 'openai',
      OCR_URL: `${model.url}/v1`,
      OCR_MODEL: 'seer',
      OCR_API_KEY: 'key',
    };
    app = await testApp({ OCR_PROCESSES: '1', ...outside });
  }, 60_000);
  afterAll(async () => {
    await app.close();
    await model.close();
  });

  it('is made of what that model says', async () => {
    model.say({ text: JSON.stringify({ text: '# Gold Plan\n\nA visit to the dentist costs $35.' }) });
    const id = await new ChatClient(app).upload('page.png', await readFile(PAGE));
    expect((await passagesOf(app, id)).map(({ text }) => text).join(' ')).toContain(
      'A visit to the dentist costs $35.',
    );
    const [{ headers, body }] = model.calls as [(typeof model.calls)[number]];
    expect(headers.authorization).toBe('Bearer key');
    expect(JSON.stringify(body)).toContain('data:image/jpeg;base64,/9j/');
  }, 120_000);
});
