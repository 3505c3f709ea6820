import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { WavSource } from '../apps/api/src/ingestion/transcription/audio/wav.source.js';
import { wavBytes } from '../apps/api/src/ingestion/transcription/remote/wav-bytes.js';

const PAUSES_SECONDS = [0.4, 0.7, 1.2];
const CLIP = 'test/fixtures/sense-and-sensibility.wav';

/** The clip of the tests over and over, with pauses of a few lengths, written piece by piece. Returns the path. */
export async function writeRecording(folder: string, minutes: number): Promise<string> {
  const clip = await (await WavSource.open(CLIP))!.samples(
    { from: 0, to: 5_299 },
    new AbortController().signal,
  );
  const path = join(folder, 'recording.wav');
  const file = await open(path, 'w');
  let samples = 0;
  // The header says that it does not know the length; readers go on to the end of the file.
  const header = wavBytes(new Float32Array()).subarray(0, 44);
  header.writeUInt32LE(0xffff_ffff, 40);
  await file.write(header);
  for (let i = 0; samples < minutes * 60 * 16_000; i++) {
    const pause = new Float32Array(PAUSES_SECONDS[i % PAUSES_SECONDS.length]! * 16_000);
    for (const piece of [clip, pause]) await file.write(wavBytes(piece).subarray(44));
    samples += clip.length + pause.length;
  }
  await file.close();
  return path;
}
