/**
 * Does something with every item, at most `concurrency` at a time and begun in order. After a failure, or when the
 * signal aborts, nothing more is begun; what is under way is told by its signal and waited for.
 *
 * @throws the first failure, or the reason of `signal`
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  concurrency: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const rest = iteratorOf(items);
  const lane = async () => {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      if (either.aborted) return;
      await work(next.value, either);
    }
  };
  const lanes = Array.from({ length: concurrency }, () => lane().catch((error) => failed.abort(error)));
  await Promise.all(lanes);
  either.throwIfAborted();
}

const iteratorOf = <T>(items: Iterable<T> | AsyncIterable<T>) =>
  Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
