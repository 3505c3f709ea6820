import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { AudioOpener } from './audio/audio-opener.js';
import { RecordingExtractor } from './recording.extractor.js';
import { wavBytes } from './remote/wav-bytes.js';
import { Transcriber, type Transcript } from './transcriber.js';
import { transcriberSection } from './transcription.config.js';

const folder = mkdtempSync(join(tmpdir(), 'recording-'));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

/** Writes down how long what it heard was, and how loud. */
class Listener extends Transcriber {
  readonly name = 'fake:listener';
  transcribe(samples: Float32Array): Promise<Transcript> {
    const loud = samples.some((sample) => sample > 0.1);
    const text = loud ? `Heard ${Math.round(samples.length / 16)} milliseconds.` : '';
    return Promise.resolve({ text, confidence: 0.8, heardBy: this.name, cpuSeconds: 0.5, cost: 0.01 });
  }
}

function extractor(settings: Record<string, string> = {}): RecordingExtractor {
  const { transcriber } = loadConfig({ transcriber: transcriberSection }, settings);
  return new RecordingExtractor(new AudioOpener(transcriber), new Listener(), transcriber);
}

let files = 0;
/** A recording of stretches in which somebody hums, and of silence. */
function recording(...stretches: [seconds: number, isLoud: boolean][]) {
  const total = stretches.reduce((sum, [seconds]) => sum + seconds * 16_000, 0);
  const samples = new Float32Array(total);
  let at = 0;
  for (const [seconds, isLoud] of stretches) {
    const end = at + seconds * 16_000;
    if (isLoud) for (let i = at; i < end; i++) samples[i] = ((i % 50) / 50 - 0.5) * ((i % 9_000) / 9_000);
    at = end;
  }
  return wavFile(samples);
}
function wavFile(samples: Float32Array) {
  const path = join(folder, `${files++}`);
  writeFileSync(path, wavBytes(samples));
  return { path, filename: 'call.wav', mediaType: 'audio/wav', sizeBytes: samples.length * 2 };
}

describe('RecordingExtractor', () => {
  it('plans stretches between silences, and hears each by itself at its time', async () => {
    const file = recording([4, true], [5, false], [6, true]);
    const plan = await extractor().plan(file, signal);
    expect(plan).toMatchObject({
      mediaType: 'audio/wav',
      format: 'audio',
      pageCount: null,
      durationMs: 15_000,
      unit: 'milliseconds',
    });
    expect(plan.parts).toHaveLength(2);
    const [first, second] = plan.parts as [{ from: number; to: number }, { from: number; to: number }];
    expect(first.from).toBe(0);
    expect(second.to).toBe(14_999);
    const part = await extractor().read(file, plan, second, signal);
    const length = second.to - second.from + 1;
    expect(part.blocks).toEqual([
      {
        kind: 'paragraph',
        text: `Heard ${length} milliseconds.`,
        page: null,
        box: null,
        confidence: 0.8,
        cues: [{ start: 0, startMs: second.from, endMs: 15_000 }],
      },
    ]);
    expect(part.recognised).toEqual({ words: 3, confidence: 0.8 });
    expect(part.hearing).toMatchObject({ audioMs: length, cpuMs: 500, cost: 0.01 });
  });

  it('gives the same plan twice', async () => {
    const file = recording([30, true], [0.5, false], [30, true]);
    expect(await extractor().plan(file, signal)).toEqual(await extractor().plan(file, signal));
  });

  it('has no block where nothing was said', async () => {
    const file = recording([1, false], [1, true]);
    const plan = await extractor().plan(file, signal);
    const part = await extractor().read(file, plan, { from: 0, to: 499 }, signal);
    expect(part.blocks).toEqual([]);
    expect(part.recognised).toBeUndefined();
  });

  it.each([
    ['no-audio', wavFile(new Float32Array()), {}],
    ['no-speech', recording([3, false]), {}],
    ['recording-too-long', recording([61, true]), { TRANSCRIBER_MAX_MINUTES: '1' }],
    [
      'decoder-missing',
      { ...recording([1, true]), mediaType: 'audio/mpeg' },
      { TRANSCRIBER_FFMPEG: 'no-such-program' },
    ],
    ['unsupported-type', { ...recording([1, true]), mediaType: 'audio/midi' }, {}],
  ])('refuses with the reason %s', async (code, file, settings) => {
    const refusal = extractor(settings).plan(file, signal);
    await expect(refusal).rejects.toMatchObject({ name: 'ParseFailure', code });
  });
});
