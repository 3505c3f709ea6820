import { Faults, type FaultsConfig } from '#libs/faults';
import { checkedVectors } from './rag/index.js';

/** With the checks of the adapters that wrong answers get past. */
export function prepareFaults({ enabled }: FaultsConfig): Faults {
  const faults = new Faults(enabled);
  faults.checkWith('embedder', (corrupted, expected) => {
    const vectors = expected as Float32Array[];
    const given = (corrupted as Float32Array[]).map((values, index) => ({ index, values }));
    checkedVectors('embedder', given, { count: vectors.length, dimensions: vectors[0]?.length ?? 0 });
  });
  return faults;
}
