/** Texts that are embedded in one go, and where their vectors go. */
export interface Batch {
  texts: string[];
  /** Somebody waits for it at this moment, so it goes before those that nobody waits for. */
  urgent: boolean;
  resolve(vectors: Float32Array[]): void;
  reject(reason: unknown): void;
}

/** Batches in the order in which they came, urgent ones first. */
export class BatchQueue {
  private readonly urgent = new Set<Batch>();
  private readonly others = new Set<Batch>();

  get size(): number {
    return this.urgent.size + this.others.size;
  }

  add(batch: Batch): void {
    this.lane(batch).add(batch);
  }

  take(): Batch | undefined {
    for (const lane of [this.urgent, this.others])
      for (const batch of lane) {
        lane.delete(batch);
        return batch;
      }
    return undefined;
  }

  /** False when it was taken already. */
  remove(batch: Batch): boolean {
    return this.lane(batch).delete(batch);
  }

  private lane({ urgent }: Batch): Set<Batch> {
    return urgent ? this.urgent : this.others;
  }
}

/**
 * The positions of the texts in batches of at most `maxTexts` texts and about `maxChars` characters, short texts
 * together: the model pads every text of a batch to the longest one.
 */
export function batchesOf(
  texts: readonly string[],
  { maxTexts, maxChars }: { maxTexts: number; maxChars: number },
): number[][] {
  const shortestFirst = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length);
  const batches: number[][] = [];
  for (const i of shortestFirst) {
    const last = batches.at(-1);
    const fits = last && last.length < maxTexts && (last.length + 1) * texts[i]!.length <= maxChars;
    if (fits) last.push(i);
    else batches.push([i]);
  }
  return batches;
}
