/** What was said in a stretch of a recording. */
export interface Transcript {
  text: string;
  /** With their times, in milliseconds from the beginning of the stretch, when whoever heard it tells them. */
  pieces?: SpokenPiece[];
  /** How sure it is, 0 to 1; absent when it does not tell. */
  confidence?: number;
  /** `provider:model`. */
  heardBy: string;
  /** Seconds of a processor of this machine; 0 when the work was done elsewhere. */
  cpuSeconds: number;
  /** In the currency of `TRANSCRIBER_PRICE_PER_MINUTE`; 0 for what is heard on this machine. */
  cost: number;
}

/** A word or a few, as they stand in the text, in its order. */
export interface SpokenPiece {
  text: string;
  startMs: number;
  endMs: number;
}

/** Writes down what is said. */
export abstract class Transcriber {
  /** `provider:model`. */
  abstract readonly name: string;

  /**
   * @param samples of at most 24 s: mono, 16 kHz, between -1 and 1
   * @throws ParseFailure when it fails at this stretch
   * @throws DependencyUnavailable, DependencyTimeout when it cannot be had
   * @throws the signal's reason
   */
  abstract transcribe(samples: Float32Array, signal: AbortSignal): Promise<Transcript>;

  /** Resolves when it is there and lets us in. Costs nothing. */
  ping?(signal: AbortSignal): Promise<void>;
}
