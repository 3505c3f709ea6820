import { PolicyRegistry } from '#libs/resilience';
import { loadConfig } from '#libs/config';
import {
  createTranscriber,
  transcriberProbe,
} from '../../apps/api/src/ingestion/transcription/create-transcriber.js';
import { OpenAiTranscriber } from '../../apps/api/src/ingestion/transcription/remote/openai.transcriber.js';
import { Transcriber, type Transcript } from '../../apps/api/src/ingestion/transcription/transcriber.js';
import { transcriberSection } from '../../apps/api/src/ingestion/transcription/transcription.config.js';
import { FakeTranscription } from '../support/fake-transcription.js';

let server: FakeTranscription;
beforeAll(async () => {
  server = await FakeTranscription.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.answers({});
  server.calls.length = 0;
});

const signal = new AbortController().signal;
const samples = new Float32Array(10 * 16_000).fill(0.25);
const transcriber = (model = 'whisper-1') =>
  new OpenAiTranscriber({ baseUrl: server.url, apiKey: 'key', model, pricePerMinute: 0.006 });

describe('a transcriber behind OpenAI’s protocol', () => {
  it('sends a WAV file in a form, and takes text, times and certainty from the answer', async () => {
    expect(await transcriber().transcribe(samples, signal)).toEqual({
      text: 'The plan pays for glasses. You pay the rest.',
      pieces: [
        { text: 'The plan pays for glasses.', startMs: 0, endMs: 5_000 },
        { text: 'You pay the rest.', startMs: 5_000, endMs: 10_000 },
      ],
      confidence: expect.closeTo(0.9, 5),
      heardBy: 'openai:whisper-1',
      cpuSeconds: 0,
      cost: expect.closeTo(0.001, 8),
    });
    const [call] = server.calls;
    expect(call).toMatchObject({
      authorization: 'Bearer key',
      model: 'whisper-1',
      responseFormat: 'verbose_json',
      filename: 'recording.wav',
      durationMs: 10_000,
    });
    expect(call!.bytes.readInt16LE(44)).toBe(8_192);
  });

  it('asks a model without times for none', async () => {
    const heard = await transcriber('gpt-4o-transcribe').transcribe(samples, signal);
    expect(server.calls[0]!.responseFormat).toBe('json');
    expect(heard.text).toBe('The plan pays for glasses. You pay the rest.');
    expect(heard).not.toHaveProperty('pieces');
    expect(heard.confidence).toBeUndefined();
  });

  it('believes neither times outside of the stretch nor words where nobody speaks', async () => {
    const segments = [
      { start: -1, end: 99, text: 'One.' },
      { start: 5, end: 2, text: 'Two.' },
      { start: 8, end: 9, text: 'Thanks for watching!', avg_logprob: -1.5, no_speech_prob: 0.9 },
    ];
    server.answers({ body: { text: 'all', segments } });
    expect(await transcriber().transcribe(samples, signal)).toMatchObject({
      text: 'One. Two.',
      pieces: [
        { startMs: 0, endMs: 10_000 },
        { startMs: 5_000, endMs: 5_000 },
      ],
    });
  });

  it.each([
    [{ status: 500 }, 'ProviderFailure'],
    [{ status: 429 }, 'Overloaded'],
    [{ status: 401 }, 'FatalFailure'],
    [{ status: 400 }, 'ModelRejected'],
    [{ body: { words: 'no text' } }, 'ProviderFailure'],
  ])('calls the answer %j a %s', async (reply, name) => {
    server.answers(reply);
    await expect(transcriber().transcribe(samples, signal)).rejects.toMatchObject({ name });
  });

  it('ends with its caller', async () => {
    server.answers({ hangs: true });
    const leaving = new AbortController();
    const hearing = transcriber().transcribe(samples, leaving.signal);
    leaving.abort(new Error('Left'));
    await expect(hearing).rejects.toThrow('Left');
  });
});

describe('the configured transcriber', () => {
  class Embedded extends Transcriber {
    readonly name = 'embedded:fake';
    transcribe(): Promise<Transcript> {
      return Promise.resolve({ text: 'Heard here.', heardBy: this.name, cpuSeconds: 1, cost: 0 });
    }
  }

  it('tries an outside server again, then goes on with the embedded one, and comes back', async () => {
    const policies = new PolicyRegistry();
    const policy = policies.define('transcriber', {
      attemptTimeoutMs: 5_000,
      retry: { retries: 1, baseMs: 1, maxMs: 1 },
      breaker: { minimumCalls: 3, failuresInARow: 3, openMs: 10, maxOpenMs: 10, successes: 1 },
    });
    const { transcriber: config } = loadConfig(
      { transcriber: transcriberSection },
      { TRANSCRIBER_PROVIDER: 'openai', TRANSCRIBER_URL: server.url, TRANSCRIBER_MODEL: 'whisper-1' },
    );
    const made = createTranscriber(config, new Embedded(), policy);
    const heardBy = async () => (await made.transcribe(samples, signal)).heardBy;
    expect(await heardBy()).toBe('openai:whisper-1');
    server.answers({ status: 500 });
    for (let i = 0; i < 4; i++) expect(await heardBy()).toBe('embedded:fake');
    expect(policy.state).not.toBe('closed');
    const asked = server.calls.length;
    server.answers({});
    while ((await heardBy()) !== 'openai:whisper-1') await new Promise((resolve) => setImmediate(resolve));
    expect(server.calls.length).toBeGreaterThan(asked);
    await transcriberProbe(config)['transcriber']!(signal);
    policies.close();
  });

  it('is the embedded one unless it is said otherwise, and needs the name of an outside model', () => {
    const configured = (environment: Record<string, string>) =>
      loadConfig({ transcriber: transcriberSection }, environment).transcriber;
    const policy = { execute: () => Promise.reject(new Error('not asked')) };
    expect(createTranscriber(configured({}), new Embedded(), policy).name).toBe('embedded:fake');
    expect(transcriberProbe(configured({}))).toEqual({});
    const incomplete = configured({ TRANSCRIBER_PROVIDER: 'openai' });
    expect(() => createTranscriber(incomplete, new Embedded(), policy)).toThrow(/TRANSCRIBER_MODEL/);
  });
});
