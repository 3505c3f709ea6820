/** A map of at most `max` entries that gives up the one which was not asked for the longest. */
export class LruMap<V> {
  private readonly entries = new Map<string, V>();

  constructor(
    private readonly max: number,
    private readonly onEvict: (value: V, key: string) => void = () => undefined,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.entries.set(key, value);
    if (this.entries.size <= this.max) return;
    const [oldest, evicted] = this.entries.entries().next().value!;
    this.entries.delete(oldest);
    this.onEvict(evicted, oldest);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  /** The longest unused first. What is read here counts as no use. */
  oldestFirst(): IterableIterator<[string, V]> {
    return this.entries.entries();
  }
}
