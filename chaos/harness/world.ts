import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultProxy, startFaultProxyFor } from '../../test/support/fault-proxy.js';
import { FakeModel } from './fake-model.js';
import { Operator, OPERATOR } from './operator.js';
import { PostgresServer } from './postgres.js';
import { Replica } from './replica.js';
import { createTenants, type Tenant } from './tenants.js';
import { MODEL_KEY, programEnvironment } from './program-environment.js';

/** What a cell needs. Cells that need the same share it. */
export interface SetUp {
  /** Chat models: `two` has a second one to fall back on. */
  models: 'one' | 'two';
  /** `remote`: the fake one, so that it can fail. */
  embedder: 'local' | 'remote';
  redis: boolean;
  replicas: 1 | 2;
  /** Beyond the settings that all cells have. */
  environment?: Record<string, string>;
  nodeArgs?: string[];
  /** Called before the program starts, with the folder of this world. */
  prepare?: (postgres: PostgresServer, folder: string) => Promise<void>;
  /** Called last; undoes what `prepare` did outside of the folder. */
  cleanUp?: (folder: string) => Promise<void>;
}

export const PLAIN: SetUp = { models: 'one', embedder: 'remote', redis: false, replicas: 1 };

/** Cells with the same text can share a world. */
export const worldKey = ({ prepare, cleanUp, ...rest }: SetUp): string =>
  JSON.stringify([rest, prepare?.toString(), cleanUp?.toString()]);

/** The program with everything it depends on, all of it real but the models, and each behind a proxy with faults. */
export class World {
  postgres!: PostgresServer;
  /** One for each replica. */
  postgresProxies: FaultProxy[] = [];
  primary!: FakeModel;
  primaryProxy!: FaultProxy;
  /** The model to fall back on, and the embedder. */
  second!: FakeModel;
  secondProxy!: FaultProxy;
  redis?: import('../../test/support/redis.js').RedisServer;
  redisProxy?: FaultProxy;
  replicas: Replica[] = [];
  tenants: Tenant[] = [];
  operator!: Operator;
  private readonly cleanUps: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly setUp: SetUp,
    readonly folder: string,
  ) {}

  /** @param parent gets a folder for everything that is written */
  static async start(setUp: SetUp, parent: string): Promise<World> {
    const world = new World(setUp, await mkdtemp(join(parent, 'world-')));
    try {
      await world.startAll();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  get replica(): Replica {
    return this.replicas[0]!;
  }

  get postgresProxy(): FaultProxy {
    return this.postgresProxies[0]!;
  }

  /** What must stand in no log. */
  async secrets(): Promise<string[]> {
    return [
      await this.postgres.ownerPassword(),
      OPERATOR.password,
      this.operator.apiKey,
      MODEL_KEY,
      ...this.tenants.flatMap(({ apiKey, password }) => [apiKey, password]),
    ];
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.cleanUps.splice(0).reverse()) await cleanUp();
  }

  /** The files of it; the caller may want to look at the logs first. */
  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private async startAll(): Promise<void> {
    const { setUp, folder } = this;
    this.cleanUps.push(async () => setUp.cleanUp?.(folder));
    await this.startDependencies();
    await setUp.prepare?.(this.postgres, folder);
    for (let i = 0; i < setUp.replicas; i++) await this.startReplica(i);
    this.operator = await Operator.login(this.replica.url);
    this.tenants = await createTenants(this.postgres, this.replica.url);
  }

  private async startDependencies(): Promise<void> {
    const { setUp, folder } = this;
    const log = (line: string) => appendFileSync(join(folder, 'postgres.log'), `${line}\n`);
    this.postgres = this.ending(await PostgresServer.start(join(folder, 'postgres'), log));
    this.primary = this.ending(await FakeModel.start());
    this.primaryProxy = await this.proxyFor(this.primary.url);
    this.second = this.ending(await FakeModel.start());
    this.secondProxy = await this.proxyFor(this.second.url);
    if (!setUp.redis) return;
    const { startRedis } = await import('../../test/support/redis.js');
    this.redis = this.ending(await startRedis());
    this.redisProxy = await this.proxyFor(this.redis.url);
  }

  private async startReplica(i: number): Promise<void> {
    const { setUp, folder } = this;
    const postgresProxy = await this.proxyFor(this.postgres.url);
    this.postgresProxies.push(postgresProxy);
    const dataDir = join(folder, 'data');
    await mkdir(dataDir, { recursive: true });
    const replica = await Replica.start({
      name: `replica-${i}`,
      logPath: join(folder, `replica-${i}.log`),
      nodeArgs: setUp.nodeArgs,
      environment: programEnvironment(setUp, {
        dataDir,
        databaseUrl: postgresProxy.through(this.postgres.url),
        primaryUrl: withoutSlash(this.primaryProxy.through(this.primary.url)),
        secondUrl: withoutSlash(this.secondProxy.through(this.second.url)),
        redisUrl: this.redisProxy?.through(this.redis!.url),
      }),
    });
    this.replicas.push(this.ending(replica));
  }

  private async proxyFor(url: string): Promise<FaultProxy> {
    const proxy = await startFaultProxyFor(url);
    this.cleanUps.push(() => proxy.close());
    return proxy;
  }

  private ending<T extends { stop(): Promise<unknown> }>(started: T): T {
    this.cleanUps.push(() => started.stop());
    return started;
  }
}

const withoutSlash = (url: string) => url.replace(/\/$/, '');
