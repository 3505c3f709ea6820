import { loadConfig } from '#libs/config';
import { databaseSection } from '#libs/database';
import { FatalFailure, Overloaded } from '#libs/errors';
import { createOcrEngine, ocrProbe } from '../../apps/api/src/ingestion/recognition/create-engine.js';
import { EmbeddedOcr } from '../../apps/api/src/ingestion/recognition/embedded.engine.js';
import type { PageImage, PlacedText } from '../../apps/api/src/ingestion/recognition/ocr-engine.js';
import { ocrSection } from '../../apps/api/src/ingestion/recognition/recognition.config.js';
import type { RecognitionProcesses } from '../../apps/api/src/ingestion/recognition/recognition-processes.js';
import { OpenAiOcr } from '../../apps/api/src/ingestion/recognition/remote/openai.engine.js';
import { definePolicies } from '../../apps/api/src/app.policies.js';
import { chatSection, ModelRejected, ProviderFailure } from '../../apps/api/src/rag/index.js';
import { FakeModelServer, type Reply } from '../support/fake-model-server.js';

let server: FakeModelServer;
beforeAll(async () => {
  server = await FakeModelServer.start();
});
afterAll(() => server.close());

const image: PageImage = {
  bytes: Buffer.from('a picture'),
  mediaType: 'image/jpeg',
  width: 10,
  height: 10,
  dpi: 250,
};
const { signal } = new AbortController();
const engine = () => new OpenAiOcr({ baseUrl: `${server.url}/v1`, apiKey: 'key', model: 'seer' });
const read = (reply: Reply) => {
  server.say(reply);
  return engine().recognise(image, signal);
};

describe('text recognition behind OpenAI’s protocol', () => {
  it('sends the picture and takes the text', async () => {
    const text = 'The deductible is $1,500.';
    expect(await read({ text: JSON.stringify({ text }) })).toEqual({ kind: 'plain', text });
    const { path, headers, body } = server.calls.at(-1)!;
    expect([path, headers.authorization]).toEqual(['/v1/chat/completions', 'Bearer key']);
    const [message] = (body as unknown as { messages: { content: { image_url?: { url: string } }[] }[] })
      .messages;
    expect(message!.content[1]!.image_url!.url).toBe(
      `data:image/jpeg;base64,${Buffer.from('a picture').toString('base64')}`,
    );
    expect(body).toMatchObject({ model: 'seer', max_tokens: expect.any(Number) });
  });

  it.each(['The plan pays.', '```markdown\nThe plan pays.\n```', '```json\n{"text": "The plan pays."}\n```'])(
    'takes the text in whatever it is wrapped: %j',
    async (text) => expect(await read({ text })).toEqual({ kind: 'plain', text: 'The plan pays.' }),
  );

  it('takes nothing of an answer that is too large', async () => {
    const error = await read({ text: 'x'.repeat(300_000) }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ProviderFailure);
    expect(error).toHaveProperty('reason', 'too-large');
  });

  it('tells overload, fatal failures and refused pictures apart', async () => {
    await expect(read({ failure: 'status', status: 429 })).rejects.toBeInstanceOf(Overloaded);
    await expect(read({ failure: 'status', status: 401 })).rejects.toBeInstanceOf(FatalFailure);
    await expect(read({ failure: 'status', status: 400 })).rejects.toBeInstanceOf(ModelRejected);
    await expect(read({ failure: 'redirect' })).rejects.toMatchObject({ reason: 'redirected' });
  });

  it('hangs up when its caller leaves', async () => {
    server.say({ failure: 'hang' });
    const leaving = new AbortController();
    const left = server.clientLeft();
    const before = server.calls.length;
    const reading = engine().recognise(image, leaving.signal);
    while (server.calls.length === before) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error('left'));
    await expect(reading).rejects.toThrow('left');
    await left;
  });

  it('lets the embedded engine read while the server is away, and knows when it is back', async () => {
    const own: PlacedText = { kind: 'placed', width: 1, height: 1, lines: [], drawn: [], turn: 0, skew: 0 };
    const embedded = new EmbeddedOcr({
      recognise: () => Promise.resolve(own),
    } as unknown as RecognitionProcesses);
    const config = ocrSection.schema.parse({ provider: 'openai', url: `${server.url}/v1`, model: 'seer' });
    const sections = { database: databaseSection, chat: chatSection };
    const policy = definePolicies(loadConfig(sections, {})).policy('ocr');
    const failover = createOcrEngine(config, embedded, policy);
    server.say({ failure: 'status', status: 401 });
    expect(await failover.recognise(image, signal)).toBe(own);
    expect(policy.state).toBe('open');
    await expect(ocrProbe(config)['ocr']!(signal)).resolves.toBeUndefined();
    expect(ocrProbe(ocrSection.schema.parse({}))).toEqual({});
  });
});
