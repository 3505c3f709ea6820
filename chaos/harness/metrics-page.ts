const LINE = /^(\w+)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What `/metrics` says, in Prometheus' text format. */
export class MetricsPage {
  private readonly samples: Sample[];

  constructor(readonly text: string) {
    this.samples = text
      .split('\n')
      .map((line) => LINE.exec(line))
      .filter((match) => match !== null)
      .map(([, name, labels = '', value]) => ({
        name: name!,
        labels: Object.fromEntries(Array.from(labels.matchAll(LABEL), ([, key, text]) => [key!, text!])),
        value: Number(value),
      }));
  }

  /** The sum over all series that have these labels. */
  sum(name: string, labels: Record<string, string> = {}): number {
    return this.find(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  find(name: string, labels: Record<string, string> = {}): Sample[] {
    const wanted = Object.entries(labels);
    return this.samples.filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  has(name: string): boolean {
    return this.samples.some((sample) => sample.name === name);
  }
}
