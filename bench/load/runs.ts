import { loadavg } from 'node:os';
import { processorMs } from '../processor-time.js';
import { Tally } from './drivers.js';

/** Of the table that `print` adds rows to. */
export const HEADING = [
  '| run | answers/s | p50 | p95 | p99 | refused/s | p50 / p99 | too early/s | p50 / p99 | 429/s | errors | CPU ms an answer | CPU of the driver |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
];

/** Runs of one kind, with what they cost. */
export class Runs {
  readonly tally = new Tally();
  private readonly rates: number[] = [];
  /** Of the program alone, without its database. */
  private programMs = 0;
  private driverMs = 0;
  private ms = 0;

  constructor(
    private readonly pid: number,
    private readonly seconds: number,
    readonly name: string,
  ) {}

  get perSecond(): number {
    return this.tally.inTime / (this.rates.length * this.seconds);
  }

  async add(work: () => Promise<Tally>): Promise<void> {
    const before = await processorMs(this.pid);
    const driver = process.cpuUsage();
    const startedAt = performance.now();
    const tally = await work();
    const { user, system } = process.cpuUsage(driver);
    this.ms += performance.now() - startedAt;
    this.driverMs += (user + system) / 1_000;
    this.programMs += (await processorMs(this.pid)) - before;
    this.rates.push(tally.inTime / this.seconds);
    this.tally.merge(tally);
    console.error(`${this.name}: ${this.rates.at(-1)!.toFixed(1)}/s, load ${loadavg()[0]!.toFixed(1)}`);
  }

  print(): void {
    const { tally, rates } = this;
    const perSecond = (count: number) => (count / (rates.length * this.seconds)).toFixed(0);
    const cells = [
      this.name,
      `${this.perSecond.toFixed(1)} (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)})`,
      ...[0.5, 0.95, 0.99].map((share) => `${tally.p(share).toFixed(0)} ms`),
      ...(['shed', 'shedEarly'] as const).flatMap((kind) => [
        perSecond(tally[kind].length),
        `${tally.p(0.5, kind).toFixed(0)} / ${tally.p(0.99, kind).toFixed(0)} ms`,
      ]),
      perSecond(tally.limited),
      tally.failed,
      (this.programMs / tally.accepted.length).toFixed(1),
      `${((100 * this.driverMs) / this.ms).toFixed(0)} % of a core`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
