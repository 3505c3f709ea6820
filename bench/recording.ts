/**
 * Recordings through the extractor: word error rate of the public clips, a long recording heard one stretch after the
 * other and several at a time, by the embedded transcriber and by an outside one of fixed latency, with what a minute
 * costs and the memory it takes.
 * `npm run bench:recording`, or `node dist/bench/recording.js [minutes]`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { PolicyRegistry } from '#libs/resilience';
import type { ExtractionPlan, SourceFile } from '../apps/api/src/ingestion/extraction/extractor.js';
import { type Hearing, hearingDetail, sumOfHearing } from '../apps/api/src/ingestion/extraction/hearing.js';
import { inParallel } from '../apps/api/src/ingestion/extraction/in-parallel.js';
import { AudioOpener } from '../apps/api/src/ingestion/transcription/audio/audio-opener.js';
import { createTranscriber } from '../apps/api/src/ingestion/transcription/create-transcriber.js';
import { EmbeddedTranscriber } from '../apps/api/src/ingestion/transcription/embedded/embedded.transcriber.js';
import { RecordingExtractor } from '../apps/api/src/ingestion/transcription/recording.extractor.js';
import {
  type TranscriberConfig,
  transcriberSection,
} from '../apps/api/src/ingestion/transcription/transcription.config.js';
import { FakeTranscription } from '../test/support/fake-transcription.js';
import { MemoryOfTree } from './comparison/process-tree.js';
import { CORPUS_FOLDER, readManifest } from './corpus/manifest.js';
import { wordErrorRate } from './corpus/word-error-rate.js';
import { writeRecording } from './recording-file.js';

const [minutes = 10] = process.argv.slice(2).map(Number);
const OUTSIDE_LATENCY_MS = 1_000;
const IN_FLIGHT = 4;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
};
const signal = new AbortController().signal;

const folder = await mkdtemp(join(tmpdir(), 'navigator-recording-'));
try {
  await tellErrorRates();
  const path = await writeRecording(folder, minutes);
  const { size: sizeBytes } = await stat(path);
  const file = { path, filename: 'recording.wav', mediaType: 'audio/wav', sizeBytes };
  await compareTranscribers(file);
} finally {
  await rm(folder, { recursive: true });
}

async function tellErrorRates(): Promise<void> {
  if (!existsSync(CORPUS_FOLDER)) return console.log('The public clips are not here.');
  console.log('| clip | heard | word error rate |\n|---|---|---|');
  await withEmbedded({}, async (extractor) => {
    let errors = 0;
    let all = 0;
    for (const sample of (await readManifest()).filter(({ class: kind }) => kind === 'transcript')) {
      const path = join(CORPUS_FOLDER, sample.file);
      const file = { path, filename: sample.file, mediaType: MEDIA_TYPES[sample.format]!, sizeBytes: 0 };
      const { text } = await hear(extractor, file, await extractor.plan(file, signal), 1);
      const rate = wordErrorRate(sample.expected, text);
      const words = sample.expected.split(/\s+/).length;
      errors += rate * words;
      all += words;
      console.log(`| ${sample.file} | ${text} | ${(100 * rate).toFixed(1)} % |`);
    }
    console.log(`| all | ${all} words | ${((100 * errors) / all).toFixed(1)} % |\n`);
  });
}

/** Each row is one pass over the same recording. */
async function compareTranscribers(file: SourceFile): Promise<void> {
  console.log(`${minutes} minutes of speech with pauses, ${(file.sizeBytes / 1e6).toFixed(0)} MB of WAV\n`);
  console.log('| transcriber | in flight | whole time | per minute | processor per minute | peak memory |');
  console.log('|---|---|---|---|---|---|');
  const outside = await FakeTranscription.start();
  outside.answers({ latencyMs: OUTSIDE_LATENCY_MS });
  const settings = {
    TRANSCRIBER_PROVIDER: 'openai',
    TRANSCRIBER_URL: outside.url,
    TRANSCRIBER_MODEL: 'whisper-1',
    TRANSCRIBER_PRICE_PER_MINUTE: '0.006',
  };
  const name = `outside, ${OUTSIDE_LATENCY_MS / 1_000} s a stretch`;
  const one = await withEmbedded(settings, (extractor) => measure(name, extractor, file, 1));
  const four = await withEmbedded(settings, (extractor) => measure(name, extractor, file, IN_FLIGHT));
  await outside.close();
  const cores = availableParallelism();
  const processes = (count: number) => ({ TRANSCRIBER_PROCESSES: String(count) });
  const alone = await withEmbedded(processes(1), (extractor) => measure('embedded', extractor, file, 1));
  const together = await withEmbedded(processes(cores), (extractor) =>
    measure(`embedded, ${cores} processes`, extractor, file, IN_FLIGHT),
  );
  const saved = (serial: number, parallel: number) => `${(100 * (1 - parallel / serial)).toFixed(0)} %`;
  console.log(`\nfaster with ${IN_FLIGHT} in flight: outside ${saved(one, four)}, `);
  console.log(`embedded ${saved(alone, together)} (at most ${saved(1, 1 / cores)} on ${cores} cores)`);
}

/** @returns seconds */
async function measure(
  name: string,
  extractor: RecordingExtractor,
  file: SourceFile,
  inFlight: number,
): Promise<number> {
  const memory = new MemoryOfTree(process.pid);
  const startedMs = performance.now();
  const plan = await extractor.plan(file, signal);
  const { hearing } = await hear(extractor, file, plan, inFlight).finally(() => memory.stop());
  const seconds = (performance.now() - startedMs) / 1_000;
  const detail = hearingDetail(plan.durationMs!, hearing);
  const perMinute = (seconds / detail.minutes_recorded).toFixed(2);
  console.log(
    `| ${name} | ${inFlight} | ${seconds.toFixed(1)} s for ${plan.parts.length} stretches | ${perMinute} s | ` +
      `${detail.cpu_seconds_per_minute.toFixed(2)} s | ${memory.ownPeakMb} MB and ${memory.largestChildMb} MB a process |`,
  );
  return seconds;
}

async function hear(
  extractor: RecordingExtractor,
  file: SourceFile,
  plan: ExtractionPlan,
  inFlight: number,
): Promise<{ text: string; hearing: Hearing }> {
  const texts: string[] = [];
  let hearing: Hearing | undefined;
  const readPart = async (at: number, either: AbortSignal) => {
    const part = await extractor.read(file, plan, plan.parts[at]!, either);
    texts[at] = part.blocks.map((block) => ('text' in block ? block.text : '')).join(' ');
    hearing = sumOfHearing([hearing, part.hearing]);
  };
  await inParallel(plan.parts.keys(), inFlight, readPart, signal);
  return { text: texts.join(' ').trim(), hearing: hearing! };
}

async function withEmbedded<T>(
  settings: Record<string, string>,
  work: (extractor: RecordingExtractor) => Promise<T>,
): Promise<T> {
  const config: TranscriberConfig = loadConfig({ transcriber: transcriberSection }, settings).transcriber;
  const embedded = new EmbeddedTranscriber(config);
  const policies = new PolicyRegistry();
  const policy = policies.define('transcriber', { attemptTimeoutMs: 60_000 });
  try {
    const transcriber = createTranscriber(config, embedded, policy);
    return await work(new RecordingExtractor(new AudioOpener(config), transcriber, config));
  } finally {
    policies.close();
    await embedded.close();
  }
}
