import type { PartRange } from '../../extraction/extractor.js';
import { type AudioSource, SAMPLE_RATE, samplesIn } from './audio-source.js';
import type { Ffmpeg } from './ffmpeg.js';

/** The sound of a file that ffmpeg decodes. */
export class FfmpegSource implements AudioSource {
  readonly rate = LISTENING_RATE;

  constructor(
    private readonly ffmpeg: Ffmpeg,
    private readonly file: { path: string; demuxer: string },
  ) {}

  stream(signal: AbortSignal): AsyncIterable<Float32Array> {
    return this.ffmpeg.decode({ ...this.file, rate: this.rate }, signal);
  }

  async samples(range: PartRange, signal: AbortSignal): Promise<Float32Array> {
    const { from: fromMs, to } = range;
    const request = { ...this.file, rate: SAMPLE_RATE, fromMs, durationMs: to - fromMs + 1 };
    const samples = new Float32Array(samplesIn(range, SAMPLE_RATE));
    let length = 0;
    for await (const chunk of this.ffmpeg.decode(request, signal)) {
      const fitting = chunk.subarray(0, samples.length - length);
      samples.set(fitting, length);
      length += fitting.length;
    }
    return samples.subarray(0, length);
  }
}

/** Voices lie below 4 kHz: enough to hear pauses, and half of the bytes to carry. */
const LISTENING_RATE = 8_000;
