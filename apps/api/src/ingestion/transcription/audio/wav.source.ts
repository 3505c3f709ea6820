import { type FileHandle, open } from 'node:fs/promises';
import type { PartRange } from '../../extraction/extractor.js';
import { type AudioSource, samplesIn } from './audio-source.js';
import { resample } from './resample.js';
import { readWavHeader, type WavFormat } from './wav-header.js';

/** The sound of a WAV file whose samples are not compressed. Only this program is needed to read it. */
export class WavSource implements AudioSource {
  private constructor(
    private readonly path: string,
    private readonly format: WavFormat,
  ) {}

  /** @returns undefined when the samples are compressed @throws ParseFailure corrupt-file */
  static async open(path: string): Promise<WavSource | undefined> {
    const format = await withFile(path, readWavHeader);
    return format && new WavSource(path, format);
  }

  get rate(): number {
    return this.format.rate;
  }

  async *stream(signal: AbortSignal): AsyncGenerator<Float32Array> {
    const file = await open(this.path);
    try {
      for (let frame = 0; frame < this.format.frames; frame += FRAMES_PER_READ) {
        signal.throwIfAborted();
        yield await this.read(file, frame, FRAMES_PER_READ);
      }
    } finally {
      await file.close();
    }
  }

  async samples(range: PartRange, signal: AbortSignal): Promise<Float32Array> {
    const first = Math.floor((range.from * this.rate) / 1_000);
    const samples = await withFile(this.path, (file) => this.read(file, first, samplesIn(range, this.rate)));
    return resample(samples, this.rate, signal);
  }

  /** Up to so many frames, each as the mean of its channels. */
  private async read(file: FileHandle, first: number, count: number): Promise<Float32Array> {
    const { channels, bytesPerSample, dataStart, frames } = this.format;
    const frameBytes = channels * bytesPerSample;
    const wanted = Math.max(0, Math.min(count, frames - first)) * frameBytes;
    const bytes = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await file.read(bytes, 0, wanted, dataStart + first * frameBytes);
    const samples = new Float32Array(Math.floor(bytesRead / frameBytes));
    const valueAt = readerOf(this.format, bytes);
    for (let frame = 0; frame < samples.length; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        sum += valueAt(frame * frameBytes + channel * bytesPerSample);
      samples[frame] = sum / channels;
    }
    return samples;
  }
}

/** What the sample at an offset is, between -1 and 1. */
function readerOf({ encoding, bytesPerSample }: WavFormat, bytes: Buffer): (at: number) => number {
  if (encoding === 'float')
    return bytesPerSample === 8
      ? (at) => finite(bytes.readDoubleLE(at))
      : (at) => finite(bytes.readFloatLE(at));
  // Bytes are the only samples without a sign.
  if (bytesPerSample === 1) return (at) => (bytes[at]! - 128) / 128;
  if (bytesPerSample === 2) return (at) => bytes.readInt16LE(at) / 32_768;
  const scale = 2 ** (8 * bytesPerSample - 1);
  return (at) => bytes.readIntLE(at, bytesPerSample) / scale;
}

/** A file may say anything; a sample that is no number would silence all that is computed with it. */
const finite = (value: number) => (value >= -1 && value <= 1 ? value : Math.max(-1, Math.min(1, value)) || 0);

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Less than a millisecond of work at a time: this runs beside everything else that the process does. */
const FRAMES_PER_READ = 16_384;
