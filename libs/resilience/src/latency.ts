const SIZE = 128;
const ENOUGH = 20;
/** The quantiles are worked out anew after this many further calls. */
const STALE_AFTER = 16;

/** Quantiles of a dependency's last calls. It forgets: a dependency that has become slow or fast is soon seen so. */
export class LatencyEstimate {
  private readonly last = new Float64Array(SIZE);
  private count = 0;
  private sorted = new Float64Array(0);
  private sortedAt = 0;

  record(ms: number): void {
    this.last[this.count++ % SIZE] = ms;
  }

  /** @returns milliseconds; undefined until there were enough calls to tell */
  quantile(q: number): number | undefined {
    if (this.count < ENOUGH) return undefined;
    if (this.count - this.sortedAt >= STALE_AFTER) {
      this.sorted = this.last.slice(0, Math.min(this.count, SIZE)).sort();
      this.sortedAt = this.count;
    }
    return this.sorted[Math.ceil(q * this.sorted.length) - 1];
  }
}
