/** Of one level, in milliseconds. */
export const FRAME_MS = 20;
/** In decibels below full scale; what is quieter is as good as nothing. */
export const LOWEST_LEVEL = -90;

/** How loud a recording is, frame by frame. */
export interface Levels {
  /** Of each frame of 20 ms, in decibels below full scale: the root mean square of its samples. */
  decibels: Float32Array;
  durationMs: number;
}

/**
 * Listens to a stream of samples and keeps nothing of it but levels: four bytes for 20 ms.
 *
 * @param limitMs where it stops listening: what comes back then is longer than this
 */
export async function measureLevels(
  stream: AsyncIterable<Float32Array>,
  rate: number,
  limitMs: number,
): Promise<Levels> {
  const levels = new LevelMeter(rate);
  for await (const samples of stream) {
    levels.add(samples);
    if (levels.durationMs > limitMs) break;
  }
  return levels.finish();
}

class LevelMeter {
  private decibels = new Float32Array(4_096);
  private frames = 0;
  private samples = 0;
  private sum = 0;
  private inFrame = 0;

  constructor(private readonly rate: number) {}

  get durationMs(): number {
    return Math.round((this.samples * 1_000) / this.rate);
  }

  add(samples: Float32Array): void {
    for (const sample of samples) {
      this.sum += sample * sample;
      this.inFrame += 1;
      this.samples += 1;
      // Frames end at whole multiples of 20 ms, also where the rate has no whole number of samples in them.
      if (this.samples >= ((this.frames + 1) * this.rate * FRAME_MS) / 1_000) this.endFrame();
    }
  }

  finish(): Levels {
    const { durationMs } = this;
    if (this.inFrame > 0) this.endFrame();
    return { decibels: this.decibels.slice(0, this.frames), durationMs };
  }

  private endFrame(): void {
    if (this.frames === this.decibels.length) {
      const longer = new Float32Array(2 * this.frames);
      longer.set(this.decibels);
      this.decibels = longer;
    }
    const power = this.sum / this.inFrame;
    this.decibels[this.frames] = Math.max(LOWEST_LEVEL, 10 * Math.log10(power));
    this.frames += 1;
    this.sum = 0;
    this.inFrame = 0;
  }
}
