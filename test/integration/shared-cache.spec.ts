import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { z } from 'zod';
import { Caches, CacheModule, cacheSection, RedisConnection } from '#libs/cache';
import { loadConfig } from '#libs/config';
import { databaseSection } from '#libs/database';
import { counter } from '#libs/observability';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import { definePolicies } from '../../apps/api/src/app.policies.js';
import { chatSection } from '../../apps/api/src/rag/index.js';
import { type FaultProxy, startFaultProxyFor } from '../support/fault-proxy.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.js';

const TEXT = { ttlSeconds: 600, schema: z.object({ text: z.string() }) };
const ANSWER = { text: 'The deductible is $500.' };
const TENANT = '11111111-1111-4111-8111-111111111111';
const OTHER_TENANT = '22222222-2222-4222-8222-222222222222';
const KEY = `navigator:answers:${TENANT}:question`;

/** What one process has: its own memory, its own connection, its own circuit. */
class CachingProcess {
  private constructor(
    private readonly module: TestingModule,
    private readonly connection: RedisConnection,
    readonly policy: Policy,
  ) {}

  static async start(url: string, dataDir: string): Promise<CachingProcess> {
    const sections = { cache: cacheSection, database: databaseSection, chat: chatSection };
    const config = loadConfig(sections, { CACHE_URL: url });
    const connection = new RedisConnection(url);
    const policies = definePolicies(config, { probes: { cache: (signal) => connection.ping(signal) } });
    const providers = [
      { provide: 'DATA_DIR', useValue: dataDir },
      { provide: PolicyRegistry, useValue: policies },
    ];
    @Module({})
    class Surroundings {}
    const surroundings = {
      module: Surroundings,
      global: true,
      providers,
      exports: providers.map((p) => p.provide),
    };
    const module = await Test.createTestingModule({
      imports: [surroundings, CacheModule.register(config.cache, connection)],
    }).compile();
    module.useLogger(false);
    await module.init();
    return new CachingProcess(module, connection, policies.policy('cache'));
  }

  get answers() {
    return this.answersOf(TENANT);
  }

  forget(tenantId: string) {
    return this.module.get(Caches).forgetTenant(tenantId, ['answers']);
  }

  answersOf(tenantId: string) {
    return this.module.get(Caches).named('answers', TEXT).forTenant(tenantId);
  }

  async close(): Promise<void> {
    await this.module.close();
    this.connection.close();
    this.module.get(PolicyRegistry).close();
  }
}

const rejections = async () => {
  const metric = counter({
    name: 'navigator_cache_rejected_total',
    help: 'Values that were found in a cache, not believed and deleted',
    labelNames: ['cache', 'reason'],
  });
  const { values } = await metric.get();
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason), value]));
};

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(10);
}

describeWithRedis('a cache that processes share', () => {
  let redis: RedisServer;
  let proxy: FaultProxy;
  let dataDir: string;
  let processes: CachingProcess[];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shared-cache-'));
    redis = await startRedis();
    proxy = await startFaultProxyFor(redis.url);
    processes = [];
  });
  afterEach(async () => {
    await Promise.all(processes.map((one) => one.close()));
    await proxy.close();
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** One whose connection is made, unless it cannot be. */
  async function start({ url = redis.url, connected = true } = {}): Promise<CachingProcess> {
    const started = await CachingProcess.start(url, dataDir);
    processes.push(started);
    if (connected) await until(() => works(started));
    return started;
  }

  /** Whether what this process keeps arrives in Redis again. Asking is also the traffic that closes a circuit. */
  async function works(one: CachingProcess): Promise<boolean> {
    await one.answers.set('trial', ANSWER);
    await one.answers.get(`no such key ${Math.random()}`);
    const arrived = await redis.cli.del(`navigator:answers:${TENANT}:trial`);
    return arrived === 1 && one.policy.state === 'closed';
  }

  it('forgets what is kept of one tenant, of whatever process, and says when it cannot', async () => {
    const [first, second] = [await start(), await start()];
    await redis.cli.flushall();
    for (const key of ['question', 'other']) await first.answers.set(key, ANSWER);
    await first.answersOf(OTHER_TENANT).set('question', ANSWER);
    await redis.cli.set('somebody else’s', 'x');
    await until(async () => (await redis.cli.dbsize()) === 4);
    await second.forget(TENANT);
    expect((await redis.cli.keys('*')).sort()).toEqual(
      [`navigator:answers:${OTHER_TENANT}:question`, 'somebody else’s'].sort(),
    );
    await redis.stop();
    await expect(second.forget(TENANT)).rejects.toThrow();
  });

  it('gives one process what another one kept, under exactly one key, for no longer than it holds', async () => {
    const [first, second] = [await start(), await start()];
    await redis.cli.flushall();
    await first.answers.set('question', ANSWER);
    await until(async () => (await second.answers.get('question')) !== undefined);
    await expect(second.answers.get('question')).resolves.toEqual(ANSWER);
    expect(await redis.cli.keys('*')).toEqual([KEY]);
    expect(await redis.cli.pttl(KEY)).toBeLessThanOrEqual(660_000);
    expect(await redis.cli.pttl(KEY)).toBeGreaterThan(0);
  });

  it('has written everything when it is closed', async () => {
    const first = await start();
    for (let i = 0; i < 100; i++) await first.answers.set(`question ${i}`, ANSWER);
    await first.close();
    expect(await redis.cli.dbsize()).toBe(100);
  });

  it('keeps what is too long for it in memory only', async () => {
    const first = await start();
    const long = { text: 'x'.repeat(300_000) };
    await first.answers.set('question', long);
    await first.close();
    processes = [];
    await expect(redis.cli.exists(KEY)).resolves.toBe(0);
  });

  describe('with a value in Redis that it cannot have written there', () => {
    it.each<[string, string, (value: string) => Promise<unknown>]>([
      ['cut off', 'damaged', (value) => redis.cli.set(KEY, value.slice(0, -7))],
      ['something else', 'damaged', () => redis.cli.set(KEY, '{"text":"$5"}')],
      ['of another type', 'damaged', () => redis.cli.del(KEY).then(() => redis.cli.lpush(KEY, 'a', 'b'))],
      ['of another format', 'version', (value) => redis.cli.set(KEY, `2${value.slice(1)}`)],
      ['changed', 'forged', (value) => redis.cli.set(KEY, value.replace('$500', '$005'))],
      ["another tenant's", 'forged', copyOfAnother],
    ])('does not believe one that is %s, deletes it and counts it', async (_, reason, harm) => {
      const [writer, reader] = [await start(), await start()];
      await writer.answers.set('question', ANSWER);
      await until(async () => (await redis.cli.exists(KEY)) === 1);
      await harm((await redis.cli.get(KEY))!);
      const before = (await rejections())[reason] ?? 0;
      await until(async () => {
        await expect(reader.answers.get('question')).resolves.toBeUndefined();
        return (await redis.cli.exists(KEY)) === 0;
      });
      expect((await rejections())[reason]).toBeGreaterThan(before);
      expect(reader.policy.state).toBe('closed');
    });

    async function copyOfAnother(): Promise<void> {
      const key = KEY.replace(TENANT, OTHER_TENANT);
      await processes[0]!.answersOf(OTHER_TENANT).set('question', ANSWER);
      await until(async () => (await redis.cli.exists(key)) === 1);
      await redis.cli.set(KEY, (await redis.cli.get(key))!);
    }
  });

  it('takes nothing while Redis is gone, fails nobody, and has it again when it is back', async () => {
    const [first, second] = [await start(), await start()];
    await first.answers.set('question', ANSWER);
    await redis.kill();
    await until(() => first.policy.state === 'open');
    await expect(first.answers.get('question')).resolves.toEqual(ANSWER);
    await expect(second.answers.get('question')).resolves.toBeUndefined();
    await expect(second.answers.wrap('question', async () => ANSWER)).resolves.toEqual(ANSWER);
    await redis.start();
    await until(() => works(first));
    await until(() => works(second));
  });

  it('tries by itself whether Redis is back, when nobody asks for anything', async () => {
    const idle = await start();
    await redis.kill();
    await until(() => idle.policy.state === 'open');
    await redis.start();
    await until(() => idle.policy.state === 'closed');
  });

  it('starts without Redis and uses it as soon as it is there', async () => {
    await redis.kill();
    const first = await start({ connected: false });
    await first.answers.set('question', ANSWER);
    await expect(first.answers.get('question')).resolves.toEqual(ANSWER);
    await redis.start();
    await until(() => works(first));
  });

  it('does not wait for a Redis that answers two seconds late', async () => {
    const [writer, slow] = [await start(), await start({ url: proxy.through(redis.url) })];
    await writer.answers.set('question', ANSWER);
    await proxy.inject({ toClient: { latencyMs: 2_000 } });
    await until(async () => {
      await expect(slow.answers.get('question')).resolves.toBeUndefined();
      return slow.policy.state === 'open';
    });
    await slow.answers.set('question', ANSWER);
    await expect(slow.answers.get('question')).resolves.toEqual(ANSWER);
    await proxy.heal();
    await until(() => works(slow));
  });

  it('gives up a connection on which nothing comes any more, and makes another one', async () => {
    const cut = await start({ url: proxy.through(redis.url) });
    const { connects } = proxy.counters;
    await proxy.inject({ toClient: { hang: true } });
    await until(async () => {
      await cut.answers.get('question');
      return proxy.counters.connects > connects;
    });
    await proxy.heal();
    await until(() => works(cut));
  });

  describe('loads a value once for 200 who ask for it at the same time, and then has it', () => {
    async function loadsOf(one: CachingProcess): Promise<number> {
      let loads = 0;
      const load = async () => {
        loads += 1;
        await delay(20);
        return ANSWER;
      };
      for (let round = 0; round < 2; round++) {
        const all = await Promise.all(Array.from({ length: 200 }, () => one.answers.wrap('question', load)));
        expect(all).toEqual(Array.from({ length: 200 }, () => ANSWER));
      }
      return loads;
    }

    it.each<[string, () => Promise<unknown>]>([
      ['works', async () => undefined],
      ['is full', () => redis.cli.config('SET', 'maxmemory', '1')],
      ['is read-only', () => redis.cli.replicaof('127.0.0.1', 1)],
      ['has lost its disk', loseDisk],
      [
        'keeps nothing',
        async () => {
          await redis.cli.config('SET', 'maxmemory-policy', 'allkeys-random');
          await redis.cli.config('SET', 'maxmemory', '1');
        },
      ],
      ['is emptied again and again', async () => void emptyAgainAndAgain()],
    ])('while Redis %s', async (_, harm) => {
      const one = await start();
      await harm();
      await expect(loadsOf(one)).resolves.toBe(1);
      expect(one.policy.state).toBe('closed');
    });

    it('while Redis is gone', async () => {
      const one = await start();
      await redis.kill();
      await expect(loadsOf(one)).resolves.toBe(1);
    });

    it('also after everything was flushed, once in each process', async () => {
      const [first, second] = [await start(), await start()];
      await first.answers.set('question', ANSWER);
      await until(async () => (await redis.cli.exists(KEY)) === 1);
      await redis.cli.flushall();
      await expect(loadsOf(first)).resolves.toBe(0);
      await expect(loadsOf(second)).resolves.toBe(1);
    });

    /** Redis refuses all writes once it could not save: its file cannot be replaced. */
    async function loseDisk(): Promise<void> {
      const [, folder] = (await redis.cli.config('GET', 'dir')) as [string, string];
      await mkdir(join(folder, 'dump.rdb', 'in the way'), { recursive: true });
      await redis.cli.config('SET', 'save', '3600 1');
      await redis.cli.bgsave();
      await until(async () => (await redis.cli.info('persistence')).includes('rdb_last_bgsave_status:err'));
    }

    async function emptyAgainAndAgain(): Promise<void> {
      for (let i = 0; i < 50; i++) await redis.cli.flushall().catch(() => undefined);
    }
  });
});
