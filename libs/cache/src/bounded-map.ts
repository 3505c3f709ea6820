/**
 * A Map that forgets what was used least recently once it holds `maxEntries`, or once all that it holds weighs more
 * than `maxWeight`.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  private weight = 0;

  /** @param weigh must give the same for the same value at any time */
  constructor(
    private readonly maxEntries: number,
    private readonly maxWeight = Infinity,
    private readonly weigh: (value: V) => number = () => 0,
  ) {
    super();
  }

  override get(key: K): V | undefined {
    const value = super.get(key);
    if (value !== undefined) {
      super.delete(key);
      super.set(key, value);
    }
    return value;
  }

  /** What weighs more than everything together may is not kept at all. */
  override set(key: K, value: V): this {
    this.delete(key);
    const weight = this.weigh(value);
    if (weight > this.maxWeight) return this;
    super.set(key, value);
    this.weight += weight;
    while (this.size > this.maxEntries || this.weight > this.maxWeight)
      this.delete(this.keys().next().value as K);
    return this;
  }

  override delete(key: K): boolean {
    const value = super.get(key);
    if (value !== undefined) this.weight -= this.weigh(value);
    return super.delete(key);
  }

  override clear(): void {
    super.clear();
    this.weight = 0;
  }
}
