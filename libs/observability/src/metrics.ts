import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  register,
} from 'prom-client';

/** Seconds; from a cache hit to a slow model. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/**
 * Metrics are declared at module level with these. Declaring one again gives the one that exists, so a module that
 * is loaded twice (tests) does no harm. Names end in their unit; a tenant is never a label.
 */
export function counter<T extends string>(options: CounterConfiguration<T>): Counter<T> {
  return existing<Counter<T>>(options.name) ?? new Counter(options);
}

export function gauge<T extends string>(options: GaugeConfiguration<T>): Gauge<T> {
  return existing<Gauge<T>>(options.name) ?? new Gauge(options);
}

export function histogram<T extends string>(options: HistogramConfiguration<T>): Histogram<T> {
  return existing<Histogram<T>>(options.name) ?? new Histogram({ buckets: DURATION_BUCKETS, ...options });
}

/** The sum over a metric's series that have these labels; undefined when there is no such metric. */
export async function sumOfMetric(
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const metric = await existing<Gauge>(name)?.get();
  return metric?.values
    .filter((value) => Object.entries(labels).every(([label, text]) => value.labels[label] === text))
    .reduce((sum, { value }) => sum + value, 0);
}

function existing<M>(name: string): M | undefined {
  return register.getSingleMetric(name) as M | undefined;
}
