import type { PartRange } from '../../extraction/extractor.js';
import { FRAME_MS, type Levels, LOWEST_LEVEL } from './levels.js';

/**
 * Cuts a recording into stretches that a speech model hears in one go, in milliseconds and in order. Cuts lie in the
 * longest pause between 10 and 20 s after the one before, or where it is quietest when nobody pauses; no stretch is
 * longer than 24 s. Long silences belong to none, so a recording in which nothing is said has no stretches.
 */
export function speechParts({ decibels, durationMs }: Levels): PartRange[] {
  const pauses = pausesIn(decibels, quietBelow(decibels));
  const parts: PartRange[] = [];
  for (let start = afterSilence(0, pauses); start < decibels.length;) {
    const near = pauses.filter(({ start: from, end: to }) => to > start && from <= start + LONGEST);
    const end = endAfter(start, decibels, near);
    const isSilent = near.some((pause) => pause.start <= start && pause.end >= end);
    if (!isSilent) parts.push({ from: start * FRAME_MS, to: Math.min(end * FRAME_MS, durationMs) - 1 });
    start = afterSilence(end, pauses);
  }
  return parts;
}

/** Frames in which nobody speaks, `end` not among them. */
interface Pause {
  start: number;
  end: number;
}

const lengthOf = ({ start, end }: Pause) => end - start;
const middleOf = ({ start, end }: Pause) => Math.floor((start + end) / 2);

/** Where the stretch that begins at `start` ends. */
function endAfter(start: number, decibels: Float32Array, pauses: readonly Pause[]): number {
  const between = (from: number, to: number) =>
    pauses.filter((pause) => middleOf(pause) >= start + from && middleOf(pause) <= start + to);
  const silence = pauses.find(
    (pause) => pause.start > start && pause.start <= start + LONGEST && lengthOf(pause) >= SILENCE,
  );
  if (silence && silence.start - start <= USUAL) return Math.min(silence.start + MARGIN, decibels.length);
  if (decibels.length - start <= USUAL) return decibels.length;
  const pause =
    longest(between(SHORT, USUAL)) ?? between(USUAL, LONGEST)[0] ?? longest(between(SHORT / 2, SHORT));
  return pause ? middleOf(pause) : quietestAround(decibels, start + SHORT, start + LONGEST);
}

/** The frame itself, or the end of the silence that it lies in. */
function afterSilence(frame: number, pauses: readonly Pause[]): number {
  const silence = pauses.find(
    (pause) => pause.start <= frame && frame < pause.end && lengthOf(pause) >= SILENCE,
  );
  return silence ? Math.max(frame, silence.end - MARGIN) : frame;
}

function longest(pauses: readonly Pause[]): Pause | undefined {
  return pauses.reduce<Pause | undefined>(
    (best, pause) => (best && lengthOf(best) >= lengthOf(pause) ? best : pause),
    undefined,
  );
}

/** The middle of the quietest fifth of a second. */
function quietestAround(decibels: Float32Array, from: number, to: number): number {
  const last = Math.min(to, decibels.length) - QUIET_FRAMES;
  let best = from;
  let lowest = Infinity;
  for (let frame = from; frame <= last; frame++) {
    let sum = 0;
    for (let i = 0; i < QUIET_FRAMES; i++) sum += decibels[frame + i]!;
    if (sum < lowest) [best, lowest] = [frame, sum];
  }
  return best + QUIET_FRAMES / 2;
}

function pausesIn(decibels: Float32Array, limits: Float32Array): Pause[] {
  const pauses: Pause[] = [];
  let start = 0;
  for (let frame = 0; frame <= decibels.length; frame++) {
    if (frame < decibels.length && decibels[frame]! < limits[frame]!) continue;
    // A recording that begins or ends quietly pauses there, however briefly.
    if (frame - start >= SHORTEST_PAUSE) pauses.push({ start, end: frame });
    start = frame + 1;
  }
  return pauses;
}

/**
 * What counts as quiet, for each frame: somewhat above the noise of the half minute around it. Where that is all equally
 * loud, it is quiet when it is far below the voices of the whole recording.
 */
function quietBelow(decibels: Float32Array): Float32Array {
  const limits = new Float32Array(decibels.length);
  const all = new LevelCount();
  for (const level of decibels) all.add(level, 1);
  const farBelow = Math.max(NO_SOUND, all.level(0.98) - FAR_BELOW_VOICES);
  const around = new LevelCount();
  let added = 0;
  let removed = 0;
  for (let from = 0; from < decibels.length; from += HOP) {
    for (; added < Math.min(from + WINDOW / 2, decibels.length); added++) around.add(decibels[added]!, 1);
    for (; removed < from - WINDOW / 2; removed++) around.add(decibels[removed]!, -1);
    const noise = around.level(0.1);
    const range = around.level(0.98) - noise;
    const above = Math.min(MOST_ABOVE_NOISE, Math.max(LEAST_ABOVE_NOISE, range * SHARE_ABOVE_NOISE));
    limits.fill(range < STEADY_RANGE ? farBelow : Math.max(NO_SOUND, noise + above), from, from + HOP);
  }
  return limits;
}

/** How many frames there are of each whole decibel. */
class LevelCount {
  private readonly counts = new Int32Array(1 - LOWEST_LEVEL);
  private total = 0;

  add(decibels: number, times: 1 | -1): void {
    const bin = Math.min(this.counts.length - 1, Math.max(0, Math.round(decibels - LOWEST_LEVEL)));
    this.counts[bin]! += times;
    this.total += times;
  }

  /** The level that this share of the frames does not exceed. */
  level(share: number): number {
    let below = 0;
    for (const [bin, count] of this.counts.entries()) {
      below += count;
      if (below >= share * this.total) return bin + LOWEST_LEVEL;
    }
    return 0;
  }
}

const framesIn = (ms: number) => Math.round(ms / FRAME_MS);

/** Lengths of stretches. The longest clip that the embedded model was measured with has 24.7 s. */
const SHORT = framesIn(10_000);
const USUAL = framesIn(20_000);
const LONGEST = framesIn(24_000);
/** Shorter ones are within words: before a "p" or "t" every mouth is closed. */
const SHORTEST_PAUSE = framesIn(160);
const SILENCE = framesIn(2_000);
/** Of a silence, kept on either side: words begin and end softly. */
const MARGIN = framesIn(200);
const QUIET_FRAMES = framesIn(200);

const WINDOW = framesIn(30_000);
const HOP = framesIn(1_000);
/** In decibels. */
const SHARE_ABOVE_NOISE = 0.25;
const LEAST_ABOVE_NOISE = 3;
const MOST_ABOVE_NOISE = 12;
const STEADY_RANGE = 6;
const FAR_BELOW_VOICES = 25;
const NO_SOUND = -70;
