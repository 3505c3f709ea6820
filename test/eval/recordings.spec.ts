import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { loadConfig } from '#libs/config';
import type { ExtractionPlan } from '../../apps/api/src/ingestion/extraction/extractor.js';
import { AudioOpener } from '../../apps/api/src/ingestion/transcription/audio/audio-opener.js';
import { EmbeddedTranscriber } from '../../apps/api/src/ingestion/transcription/embedded/embedded.transcriber.js';
import { RecordingExtractor } from '../../apps/api/src/ingestion/transcription/recording.extractor.js';
import { transcriberSection } from '../../apps/api/src/ingestion/transcription/transcription.config.js';
import { CORPUS_FOLDER, readManifest, type Sample } from '../../bench/corpus/manifest.js';
import { wordErrorRate } from '../../bench/corpus/word-error-rate.js';

/** Real recordings, heard by the embedded model; and what only ffmpeg decodes, made by ffmpeg. */
const CLIP = join(import.meta.dirname, '../fixtures/sense-and-sensibility.wav');
const SPOKEN = 'unless to be rather cold hearted and rather selfish is to be ill disposed';
const MOST_ERRORS = 0.15;

const isHere = existsSync(join(CORPUS_FOLDER, 'manifest.tsv'));
const samples = isHere ? (await readManifest()).filter((sample) => sample.class === 'transcript') : [];
const hasFfmpeg = existsSync('/usr/bin/ffmpeg');
const { transcriber: config } = loadConfig({ transcriber: transcriberSection }, {});
const embedded = new EmbeddedTranscriber(config);
const extractor = new RecordingExtractor(new AudioOpener(config), embedded, config);
const signal = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'recordings-'));

afterAll(async () => {
  await embedded.close();
  rmSync(folder, { recursive: true });
});

const fileAt = (path: string) => ({
  path,
  filename: path,
  mediaType: MEDIA_TYPES[extname(path).slice(1)]!,
  sizeBytes: 0,
});

async function hear(path: string): Promise<{ plan: ExtractionPlan; text: string }> {
  const file = fileAt(path);
  const plan = await extractor.plan(file, signal);
  const parts = await Promise.all(plan.parts.map((part) => extractor.read(file, plan, part, signal)));
  const texts = parts.flatMap(({ blocks }) => blocks.map((block) => ('text' in block ? block.text : '')));
  return { plan, text: texts.join(' ') };
}

const isReadable = ({ file }: Sample) => file.endsWith('.wav') || hasFfmpeg;
const readable = samples.filter(isReadable).map(({ file, expected }) => [file, expected] as const);
const real = readable.length > 0 ? it.each(readable) : it.skip.each([['the public clips are not here', '']]);

describe('recordings that people made', () => {
  real('%s is heard with at most 15 %% of the words wrong', async (file, expected) => {
    const { text } = await hear(join(CORPUS_FOLDER, file));
    expect(wordErrorRate(expected, text)).toBeLessThanOrEqual(MOST_ERRORS);
  });
});

const made = hasFfmpeg ? describe : describe.skip;
made('recordings that ffmpeg decodes', () => {
  const make = (name: string, ...options: string[]) => {
    const path = join(folder, name);
    execFileSync('/usr/bin/ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...options, path]);
    return path;
  };
  const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=8'];

  it.each([
    ['flac', '-c:a', 'flac'],
    ['mp3', '-c:a', 'libmp3lame', '-b:a', '64k'],
    ['m4a', '-c:a', 'aac'],
    ['ogg', '-c:a', 'libopus'],
    ['wav', '-c:a', 'adpcm_ms'],
  ])('%s is heard as the clip is that it was made of', async (ending, ...codec) => {
    const { text, plan } = await hear(make(`clip.${ending}`, '-i', CLIP, ...codec));
    expect(wordErrorRate(SPOKEN, text)).toBeLessThanOrEqual(MOST_ERRORS);
    expect(plan.format).toBe('audio');
    expect(Math.abs(plan.durationMs! - 5_300)).toBeLessThan(200);
  });

  it.each([
    ['mp4', '-c:v', 'libx264', '-c:a', 'aac'],
    ['mkv', '-c:v', 'libx264', '-c:a', 'libvorbis'],
    ['webm', '-c:v', 'libvpx', '-c:a', 'libopus'],
  ])(
    'the sound of %s is heard at its time, also when it begins later than the picture',
    async (ending, ...codecs) => {
      const late = ['-itsoffset', '2', '-i', CLIP];
      const { text, plan } = await hear(make(`clip.${ending}`, ...VIDEO, ...late, ...codecs));
      expect(wordErrorRate(SPOKEN, text)).toBeLessThanOrEqual(MOST_ERRORS);
      expect(plan).toMatchObject({ format: 'video', unit: 'milliseconds' });
      expect(plan.parts[0]!.from).toBeGreaterThanOrEqual(1_500);
      expect(Math.abs(plan.durationMs! - 7_300)).toBeLessThan(300);
    },
  );

  it('a video without sound is refused, and so is what only pretends to be a recording', async () => {
    const silent = make('silent.mp4', ...VIDEO, '-c:v', 'libx264', '-an');
    await expect(extractor.plan(fileAt(silent), signal)).rejects.toMatchObject({ code: 'no-audio' });
    const pretended = { ...fileAt(CLIP), mediaType: 'video/webm' };
    await expect(extractor.plan(pretended, signal)).rejects.toMatchObject({ code: 'corrupt-file' });
  });

  it('goes to a place in a long recording exactly', async () => {
    // A tone at 2 s and at 40 s, of which only the latter is asked for.
    const tones =
      "sine=frequency=500:duration=60,volume='if(between(t,2,3)+between(t,40,41),1,0)':eval=frame";
    for (const [ending, codec] of [
      ['mp3', 'libmp3lame'],
      ['m4a', 'aac'],
      ['ogg', 'libopus'],
      ['flac', 'flac'],
    ]) {
      const path = make(`tones.${ending}`, '-f', 'lavfi', '-i', tones, '-c:a', codec!);
      const audio = await new AudioOpener(config).open(fileAt(path));
      const heard = await audio.samples({ from: 39_000, to: 42_999 }, signal);
      const loud = [...heard.keys()].filter((i) => Math.abs(heard[i]!) > 0.05);
      expect(Math.abs(loud[0]! / 16 - 1_000)).toBeLessThan(80);
      expect(Math.abs(loud.at(-1)! / 16 - 2_000)).toBeLessThan(80);
    }
  });
});

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  mp4: 'video/mp4',
  mkv: 'video/x-matroska',
  webm: 'video/webm',
};
