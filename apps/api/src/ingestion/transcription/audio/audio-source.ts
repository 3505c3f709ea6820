import type { PartRange } from '../../extraction/extractor.js';

/** What speech models hear: samples a second. */
export const SAMPLE_RATE = 16_000;

/** The sound of a file as samples between -1 and 1, mono. Nothing holds more of it than it gives out. */
export interface AudioSource {
  /** Samples a second of `stream`. */
  readonly rate: number;
  /** All of it from the beginning, in pieces of any length. @throws ParseFailure */
  stream(signal: AbortSignal): AsyncIterable<Float32Array>;
  /** A stretch in milliseconds, at 16 kHz; what lies behind the end is left out. @throws ParseFailure */
  samples(range: PartRange, signal: AbortSignal): Promise<Float32Array>;
}

/** How many samples a stretch has; both of its milliseconds belong to it. */
export const samplesIn = ({ from, to }: PartRange, rate: number) =>
  Math.ceil(((to - from + 1) * rate) / 1_000);
