/** A passage that was found, and how well it fits in each of the two ways. */
export interface Candidate {
  /** BM25; 0 when it has no word of the question. */
  lexical: number;
  /** Cosine; null while the passage has no vector. */
  similarity: number | null;
  /** That the similarity is by. Each has a scale of its own. */
  model?: string;
}

export interface Scores {
  /** 0 to 1. */
  score: number;
  /** 0 to 1: the share of the best candidate's. */
  lexicalScore: number;
  /** The cosine; null while the passage has no vector. */
  semanticScore: number | null;
}

export interface FusionOptions {
  lexicalWeight: number;
  similarityThreshold: number;
}

/**
 * Merges both rankings by their scores, each divided by its best, and sorts: the best first. A passage that has no word
 * of the question must be as similar as the threshold says, or it is dropped. Similarities are divided by the best of
 * their model. A passage without a vector is taken to be as similar as those with one are on average, so that it stands
 * where its words put it.
 */
export function fuse<C extends Candidate>(
  candidates: readonly C[],
  { lexicalWeight, similarityThreshold }: FusionOptions,
): (C & Scores)[] {
  const found = candidates.filter(
    ({ lexical, similarity }) => lexical > 0 || (similarity ?? -1) >= similarityThreshold,
  );
  const bestLexical = max(found.map(({ lexical }) => lexical));
  const bestSimilarity = new Map<string | undefined, number>();
  for (const { model, similarity } of found)
    bestSimilarity.set(model, Math.max(bestSimilarity.get(model) ?? 0, similarity ?? 0));
  const alikeOf = ({ model, similarity }: Candidate) =>
    similarity === null ? null : ratio(Math.max(similarity, 0), bestSimilarity.get(model)!);
  const known = found.map(alikeOf).filter((alike) => alike !== null);
  // Where nothing has a vector, words are all there is.
  const weight = known.length === 0 ? 1 : lexicalWeight;
  const usual = mean(known);

  return found
    .map((candidate) => {
      const { lexical, similarity } = candidate;
      const lexicalScore = ratio(lexical, bestLexical);
      const score = weight * lexicalScore + (1 - weight) * (alikeOf(candidate) ?? usual);
      return { ...candidate, score, lexicalScore, semanticScore: similarity };
    })
    .sort((a, b) => b.score - a.score);
}

const ratio = (value: number, best: number) => (best > 0 ? value / best : 0);
const max = (values: number[]) => values.reduce((a, b) => Math.max(a, b), 0);
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(values.length, 1);
