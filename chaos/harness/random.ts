/** Mulberry32: the same seed makes the same run. Numbers from 0 to below 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** A word that no text has by accident. */
export function canaryWord(random: () => number): string {
  const letters = Array.from({ length: 10 }, () => String.fromCharCode(97 + Math.floor(random() * 26)));
  return `Zq${letters.join('')}`;
}
