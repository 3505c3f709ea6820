import { runKills } from '../../bench/audit/kills/index.js';
import { seeded } from '../../chaos/harness/random.js';

it('the log tells exactly what was done, and verifies, after who writes, seals and stores were killed', async () => {
  const { kills, problems, acknowledged } = await runKills(5, seeded(20_261_122));
  expect(Object.values(kills).every((count) => count > 0)).toBe(true);
  expect(acknowledged).toBeGreaterThan(0);
  expect(problems).toEqual([]);
}, 180_000);
