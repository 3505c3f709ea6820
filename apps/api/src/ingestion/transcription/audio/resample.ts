import { setImmediate } from 'node:timers/promises';
import { SAMPLE_RATE } from './audio-source.js';

/**
 * The same sound at 16 kHz: each sample is a sum over its neighbours, weighted by a sinc under a Hann window, which
 * leaves out what is too high for the new rate (J. O. Smith, "Digital Audio Resampling"). Lets others have a turn.
 */
export async function resample(
  samples: Float32Array,
  rate: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  if (rate === SAMPLE_RATE) return samples;
  const weights = weightsFor(rate);
  const step = rate / SAMPLE_RATE;
  const resampled = new Float32Array(Math.ceil(samples.length / step));
  for (let from = 0; from < resampled.length; from += SAMPLES_PER_TURN) {
    await setImmediate();
    signal.throwIfAborted();
    const to = Math.min(from + SAMPLES_PER_TURN, resampled.length);
    for (let i = from; i < to; i++) resampled[i] = sampleAt(samples, i * step, weights);
  }
  return resampled;
}

interface Weights {
  /** For each of `phases` + 1 places between two samples, so many weights in a row. */
  table: Float32Array;
  phases: number;
  /** Half of the weights of a place. */
  reach: number;
}

function sampleAt(samples: Float32Array, position: number, { table, phases, reach }: Weights): number {
  const before = Math.floor(position);
  const row = Math.round((position - before) * phases) * 2 * reach;
  const first = before - reach + 1;
  const from = Math.max(0, -first);
  const to = Math.min(2 * reach, samples.length - first);
  let sum = 0;
  for (let k = from; k < to; k++) sum += samples[first + k]! * table[row + k]!;
  return sum;
}

function weightsFor(rate: number): Weights {
  const cutoff = Math.min(1, SAMPLE_RATE / rate) * PASSED_SHARE;
  const reach = Math.ceil(ZERO_CROSSINGS / cutoff);
  const phases = Math.min(SAMPLE_RATE / greatestDivisor(rate, SAMPLE_RATE), MOST_PHASES);
  const table = new Float32Array((phases + 1) * 2 * reach);
  for (let phase = 0; phase <= phases; phase++)
    for (let k = 0; k < 2 * reach; k++) {
      const distance = k - reach + 1 - phase / phases;
      table[phase * 2 * reach + k] = cutoff * sinc(cutoff * distance) * hann(distance / reach);
    }
  return { table, phases, reach };
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const hann = (x: number) => (Math.abs(x) >= 1 ? 0 : (1 + Math.cos(Math.PI * x)) / 2);
const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Of the band that the lower rate can hold; the rest is where the filter falls. */
const PASSED_SHARE = 0.95;
const ZERO_CROSSINGS = 16;
/** Of rates that have no simple ratio; the error of the nearest place is below that of 16 bits of speech. */
const MOST_PHASES = 2_000;
/** About a millisecond of work. */
const SAMPLES_PER_TURN = 2_048;
