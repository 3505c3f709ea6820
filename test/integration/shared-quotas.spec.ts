import { setTimeout as delay } from 'node:timers/promises';
import { RedisConnection } from '#libs/cache';
import { RedisQuotaStore } from '#libs/http';
import type { Policy } from '#libs/resilience';
import { SharedGcra } from '../../libs/http/src/quotas/shared-gcra.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.js';

const UNGUARDED: Pick<Policy, 'execute'> = {
  execute: (call, { signal = AbortSignal.timeout(50) } = {}) => call(signal),
};
const MINUTE = 60_000;
const want = (key: string, limit: number, burst: number) => ({ key, limit, burst, cost: 1 });

/** What one process has. */
class CountingProcess {
  readonly connection: RedisConnection;
  readonly quotas: SharedGcra;
  private away = 0;

  constructor(url: string, processes: number) {
    this.connection = new RedisConnection(url);
    const store = new RedisQuotaStore(this.connection, UNGUARDED);
    this.quotas = new SharedGcra(store, { processes, onAway: () => (this.away += 1) });
    this.quotas.start();
  }

  /** How often it found the store out of reach. */
  get timesAway(): number {
    return this.away;
  }

  async close(): Promise<void> {
    await this.quotas.close();
    this.connection.close();
  }
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(10);
}

describeWithRedis('quotas that processes share in Redis', () => {
  const COUNT = 3;
  let redis: RedisServer;
  let processes: CountingProcess[];
  beforeAll(async () => {
    redis = await startRedis();
    processes = Array.from({ length: COUNT }, () => new CountingProcess(redis.url, COUNT));
    await until(async () => (await redis.cli.zcard('navigator:quota:processes')) === COUNT);
    // Each has heard of the others: a part of a third is not all of nine.
    await delay(1_100);
  });
  afterAll(async () => {
    await Promise.all(processes?.map((process) => process.close()) ?? []);
    await redis?.stop();
  });

  /** All processes ask as often as they can until each is refused. */
  async function passedTogether(demand: ReturnType<typeof want>): Promise<number> {
    let passed = 0;
    await Promise.all(
      processes.map(async ({ quotas }) => {
        while (!(await quotas.take([demand])).isBlocked) {
          passed += 1;
          if (passed % 7 === 0) await delay(1);
        }
      }),
    );
    return passed;
  }

  it('let all processes together pass the burst, and at most one more, however they ask', async () => {
    const startedAt = performance.now();
    for (const burst of [9, 30, 90, 300]) {
      const passed = await passedTogether(want(`burst of ${burst}`, 300, burst));
      const back = ((performance.now() - startedAt) * 300) / MINUTE;
      expect(passed).toBeGreaterThanOrEqual(burst - COUNT);
      expect(passed).toBeLessThanOrEqual(2 * burst + back + 1);
    }
  });

  it('are taken together or not at all', async () => {
    const [own, common] = [want('own', 1, 1), want('common', 1, 1)];
    expect((await processes[0]!.quotas.take([own, common])).isBlocked).toBe(false);
    const [other] = [want('other', 1, 1)];
    expect((await processes[1]!.quotas.take([other, common])).isBlocked).toBe(true);
    expect((await processes[1]!.quotas.take([other])).isBlocked).toBe(false);
  });

  it('show the server neither addresses nor ids, and leave nothing behind that is whole again', async () => {
    processes[0]!.quotas.takeNow([want('stranger address 192.0.2.7', 60_000, 10)]);
    await until(async () => (await redis.cli.keys('navigator:quota:*')).length > 1);
    const keys = await redis.cli.keys('*');
    expect(keys.join(' ')).not.toMatch(/192|address|common/);
    for (const key of keys) expect(await redis.cli.pttl(key)).toBeGreaterThan(0);
  });

  it('are divided when Redis is killed, whole again when it is back, and no new beginning for who used them up', async () => {
    const used = want('used before', 10, 10);
    expect(await passedTogether(used)).toBeGreaterThanOrEqual(8);
    const before = processes.map(({ timesAway }) => timesAway);
    await redis.kill();
    await until(() => processes.every(({ timesAway }, i) => timesAway > before[i]!));
    const passed = await passedTogether(want('meanwhile', 10, 9));
    expect(passed).toBe(9);
    expect(await passedTogether(used)).toBe(0);

    await redis.start();
    await until(async () => (await redis.cli.zcard('navigator:quota:processes')) === COUNT);
    expect(await passedTogether(used)).toBe(0);
    const afterwards = await passedTogether(want('afterwards', 60, 30));
    expect(afterwards).toBeGreaterThanOrEqual(27);
    expect(afterwards).toBeLessThanOrEqual(2 * 30 + 2);
  });

  it('are divided as well while Redis hangs, and nobody waits for it for long', async () => {
    redis.pause();
    try {
      const before = processes.map(({ timesAway }) => timesAway);
      processes.forEach(({ quotas }) => quotas.takeNow([want('wake', 60, 10)]));
      await until(() => processes.every(({ timesAway }, i) => timesAway > before[i]!));
      expect(await passedTogether(want('hanging', 10, 9))).toBe(9);
    } finally {
      redis.resume();
    }
    await until(async () => (await redis.cli.zcard('navigator:quota:processes')) === COUNT);
    expect(await passedTogether(want('recovered', 60, 30))).toBeGreaterThanOrEqual(27);
  });
});
