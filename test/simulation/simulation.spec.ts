import { Simulation } from './simulation.js';

/** `SIMULATION_SEED=123` plays one again; `SIMULATION_SEEDS=10000` plays more of them. */
const REPLAYED = process.env.SIMULATION_SEED;
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 300);

const EVERYTHING = [
  ...['fresh', 'model:first', 'model:second', 'stale', 'extractive', 'guidance'],
  ...['Interrupted', 'ServiceLevelNotMet', 'DeadlineExceeded'],
  ...['opened', 'half-opened', 'closed', 'probe-answered', 'retry-budget-exhausted'],
];

it('whatever fails and when: answers are honest, in the end all is full, and nothing is left behind', async () => {
  const seeds = REPLAYED ? [Number(REPLAYED)] : Array.from({ length: SEEDS }, (_, i) => i + 1);
  const failed: string[] = [];
  const happened = new Set<string>();
  for (const seed of seeds) {
    const simulation = new Simulation(seed);
    await simulation.run();
    for (const what of simulation.happened) happened.add(what);
    const problems = simulation.problems.slice(0, 5).join('\n  ');
    if (problems) failed.push(`SIMULATION_SEED=${seed}\n  ${problems}`);
  }
  expect(failed.join('\n')).toBe('');
  if (!REPLAYED) expect([...happened]).toEqual(expect.arrayContaining(EVERYTHING));
}, 600_000);
