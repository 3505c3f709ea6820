import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AnswerBody } from '../../apps/api/src/chat/questions/answer.dto.js';
import type { PassageBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import { SearchBody } from '../../apps/api/src/rag/retrieval/search.dto.js';
import { ChatClient } from '../support/chat-client.js';
import { testApp, type TestApp } from '../support/test-app.js';

/** 5.3 s of speech at 8 kHz, 16 bits: the header takes 44 bytes. */
const CLIP = join(import.meta.dirname, '../fixtures/sense-and-sensibility.wav');
const SECOND_BYTES = 16_000;

/** The clip, five seconds of silence, and the clip again. */
async function recording(): Promise<Buffer<ArrayBuffer>> {
  const clip = await readFile(CLIP);
  const sound = clip.subarray(44);
  const samples = Buffer.concat([sound, Buffer.alloc(5 * SECOND_BYTES), sound]);
  const header = Buffer.from(clip.subarray(0, 44));
  header.writeUInt32LE(36 + samples.length, 4);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

const SUBTITLES = `WEBVTT

00:14:05.000 --> 00:14:09.000
An ambulance ride costs

00:14:09.000 --> 00:14:12.500
two hundred and fifty dollars.
`;

describe('a recording', () => {
  let app: TestApp;
  let file: Buffer<ArrayBuffer>;
  let documentId: string;

  beforeAll(async () => {
    app = await testApp({ TRANSCRIBER_PROCESSES: '2' });
    file = await recording();
    documentId = await new ChatClient(app).upload('call.wav', file);
  }, 120_000);
  afterAll(() => app.close());

  const get = async <T>(path: string) =>
    (await (await app.fetch(`/v1/documents/${documentId}${path}`, { headers: app.admin })).json()) as T;
  const search = async (query: string) => {
    const response = await app.fetch('/v1/search', { json: { query }, headers: app.admin });
    return SearchBody.parse(await response.json()).hits;
  };

  it('is heard in two stretches, and says what that took', async () => {
    const { status, stages } = await get<{ status: string; stages: { name: string; detail: object }[] }>('');
    expect(status).toBe('ready');
    expect(stages.find((stage) => stage.name === 'extract')!.detail).toMatchObject({
      format: 'audio',
      parts: 2,
      minutes_recorded: 0.26,
      cost: 0,
      cpu_seconds_per_minute: expect.any(Number),
    });
  });

  it('is found by what was said, with the time at which it was said', async () => {
    const [hit] = await search('Who is cold hearted and selfish?');
    expect(hit).toMatchObject({ document_id: documentId, page: null, start_ms: 0 });
    expect(hit!.text.match(/selfish/g)).toHaveLength(2);
    // The second time ends with the recording.
    expect(hit!.end_ms).toBe(15_600);
    expect(hit!.time_label).toBe('00:00:00–00:00:16');
    const { items } = await get<{ items: PassageBody[] }>('/passages');
    expect(items).toMatchObject([{ text: hit!.text, start_ms: 0, end_ms: 15_600 }]);
  });

  it('is cited with times in an answer', async () => {
    const client = new ChatClient(app);
    client.conversationId = await client.converse();
    const response = await client.ask({ question: 'What is it to be cold-hearted and selfish?' });
    const { answer, citations } = AnswerBody.parse(await response.json());
    expect(citations.length).toBeGreaterThan(0);
    for (const { time_label, document_id } of citations) {
      expect(document_id).toBe(documentId);
      expect(time_label).toMatch(/^00:00:\d\d–00:00:\d\d$/);
    }
    // Unsure answers say where to look.
    if (answer.startsWith('I am not sure')) expect(answer).toContain(citations[0]!.time_label);
  });

  it('is given in parts to a player', async () => {
    const content = (range?: string) =>
      app.fetch(`/v1/documents/${documentId}/content`, {
        headers: { ...app.admin, ...(range && { range }) },
      });
    const whole = await content();
    expect(whole.status).toBe(200);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    expect(Buffer.from(await whole.arrayBuffer()).equals(file)).toBe(true);

    const part = await content('bytes=100-299');
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 100-299/${file.length}`);
    expect(part.headers.get('content-length')).toBe('200');
    expect(part.headers.get('content-type')).toBe('audio/wav');
    expect(Buffer.from(await part.arrayBuffer()).equals(file.subarray(100, 300))).toBe(true);

    const end = await content('bytes=-10');
    expect(Buffer.from(await end.arrayBuffer()).equals(file.subarray(-10))).toBe(true);
    const past = await content(`bytes=${file.length}-`);
    expect(past.status).toBe(416);
    expect(past.headers.get('content-range')).toBe(`bytes */${file.length}`);
    expect(await past.json()).toMatchObject({ code: 'range-not-satisfiable', size_bytes: file.length });
    expect((await content('bytes=5-2')).status).toBe(200);
  });

  it('has times as subtitles do', async () => {
    await new ChatClient(app).upload('call.vtt', SUBTITLES);
    const [hit] = await search('What does an ambulance cost?');
    expect(hit).toMatchObject({
      text: 'An ambulance ride costs two hundred and fifty dollars.',
      start_ms: 845_000,
      end_ms: 852_500,
      time_label: '00:14:05–00:14:13',
    });
  });

  it('fails with a reason that people understand when nothing can decode it', async () => {
    const bare = await testApp({ TRANSCRIBER_FFMPEG: 'no-such-program' });
    try {
      const mp3 = Buffer.concat([Buffer.from('ID3\u0004\0\0\0\0\0\0', 'latin1'), Buffer.alloc(4_000)]);
      // Frames of MPEG-1 layer 3 at 128 kbit/s.
      for (let at = 10; at + 4 < mp3.length; at += 417) mp3.writeUInt32BE(0xfffb9000, at);
      const form = new FormData();
      form.set('file', new Blob([mp3]), 'call.mp3');
      const upload = await bare.fetch('/v1/documents', { method: 'POST', body: form, headers: bare.admin });
      expect(upload.status).toBe(202);
      const { id } = (await upload.json()) as { id: string };
      for (;;) {
        const response = await bare.fetch(`/v1/documents/${id}`, { headers: bare.admin });
        const { status, reason } = (await response.json()) as { status: string; reason: object };
        if (status !== 'failed') continue;
        expect(reason).toMatchObject({ code: 'decoder-missing', message: expect.stringContaining('ffmpeg') });
        break;
      }
    } finally {
      await bare.close();
    }
  }, 60_000);
});
