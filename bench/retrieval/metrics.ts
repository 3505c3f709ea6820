/** The figures of a ranking, as trec_eval computes them (nDCG with linear gain). */
export interface Metrics {
  'recall@1': number;
  'recall@5': number;
  'recall@10': number;
  'recall@100': number;
  'mrr@10': number;
  'ndcg@10': number;
}

/** @param relevant grade of each relevant document, above 0 */
export function metricsOf(ranked: readonly string[], relevant: ReadonlyMap<string, number>): Metrics {
  const gradeOf = (id: string) => relevant.get(id) ?? 0;
  const recall = (k: number) => ranked.slice(0, k).filter((id) => gradeOf(id) > 0).length / relevant.size;
  const first = ranked.slice(0, 10).findIndex((id) => gradeOf(id) > 0);
  const best = [...relevant.values()].sort((a, b) => b - a).slice(0, 10);
  return {
    'recall@1': recall(1),
    'recall@5': recall(5),
    'recall@10': recall(10),
    'recall@100': recall(100),
    'mrr@10': first < 0 ? 0 : 1 / (first + 1),
    'ndcg@10': gainOf(ranked.slice(0, 10).map(gradeOf)) / gainOf(best),
  };
}

export function meanOf(all: readonly Metrics[]): Metrics {
  const mean = (name: keyof Metrics) => all.reduce((sum, metrics) => sum + metrics[name], 0) / all.length;
  const names = Object.keys(all[0]!) as (keyof Metrics)[];
  return Object.fromEntries(names.map((name) => [name, Number(mean(name).toFixed(4))])) as unknown as Metrics;
}

const gainOf = (grades: readonly number[]) =>
  grades.reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
