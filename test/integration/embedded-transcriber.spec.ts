import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { WavSource } from '../../apps/api/src/ingestion/transcription/audio/wav.source.js';
import { EmbeddedTranscriber } from '../../apps/api/src/ingestion/transcription/embedded/embedded.transcriber.js';
import { transcriberSection } from '../../apps/api/src/ingestion/transcription/transcription.config.js';

const CLIP = join(import.meta.dirname, '../fixtures/sense-and-sensibility.wav');
const signal = new AbortController().signal;
const transcribers: EmbeddedTranscriber[] = [];

function transcriber(environment: Record<string, string> = {}): EmbeddedTranscriber {
  const settings = { TRANSCRIBER_PROCESSES: '1', TRANSCRIBER_IDLE_MS: '100', ...environment };
  const made = new EmbeddedTranscriber(loadConfig({ transcriber: transcriberSection }, settings).transcriber);
  transcribers.push(made);
  return made;
}
const clip = async () => (await WavSource.open(CLIP))!.samples({ from: 0, to: 5_299 }, signal);

afterAll(() => Promise.all(transcribers.map((each) => each.close())));

describe('the embedded transcriber', () => {
  it('writes down what is said, says how sure it is, and leaves no process behind', async () => {
    const embedded = transcriber();
    const heard = await embedded.transcribe(await clip(), signal);
    expect(
      heard.text
        .toLowerCase()
        .replace(/[^a-z]+/g, ' ')
        .trim(),
    ).toBe('unless to be rather cold hearted and rather selfish is to be ill disposed');
    expect(heard.confidence).toBeGreaterThan(0.8);
    expect(heard.cpuSeconds).toBeGreaterThan(0);
    const silence = await embedded.transcribe(new Float32Array(16_000), signal);
    expect(silence.text).toBe('');
    while (embedded.processes > 0) await new Promise((resolve) => setImmediate(resolve));
  }, 60_000);

  it('stops with its caller, and hears the next one', async () => {
    const embedded = transcriber();
    const leaving = new AbortController();
    const hearing = embedded.transcribe(new Float32Array(24 * 16_000).fill(0.1), leaving.signal);
    leaving.abort(new Error('Left'));
    await expect(hearing).rejects.toThrow('Left');
    expect((await embedded.transcribe(await clip(), signal)).text).toMatch(/selfish/);
  }, 60_000);

  it('fails as a reader that may be tried again when it is stopped', async () => {
    const embedded = transcriber();
    const hearing = embedded.transcribe(await clip(), signal);
    await Promise.all([
      expect(hearing).rejects.toMatchObject({ name: 'ParseFailure', code: 'parser-crashed' }),
      embedded.close(),
    ]);
  }, 60_000);
});
