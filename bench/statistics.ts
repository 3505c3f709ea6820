/** The value that the given share of the values does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** `12.3 ms / 45.6 ms`: the median and the 95th percentile. */
export function medianAnd95(milliseconds: readonly number[]): string {
  return [0.5, 0.95].map((share) => `${percentile(milliseconds, share).toFixed(1)} ms`).join(' / ');
}
