import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PostgresServer } from '../../../chaos/harness/postgres.js';
import { freePort, type ProgramProcess, spawnProgram } from '../../../test/support/program-process.js';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };
export const VICTIMS = ['api', 'other api', 'sealer', 'postgres'] as const;
export type Victim = (typeof VICTIMS)[number];

const RATES = ['AUTH', 'STRANGER', 'READ', 'WRITE'];
/** A program that cannot start, because the database is away, is started again after this. */
const RESTART_MS = 100;

/** Two processes that answer, one that seals, and a PostgreSQL, durable as in production; whoever is killed comes back. */
export class KilledInstallation {
  private readonly programs = new Map<Victim, ProgramProcess>();
  private readonly keptAlive: Promise<void>[] = [];
  private isStopping = false;

  private constructor(
    private readonly folder: string,
    readonly postgres: PostgresServer,
    private readonly ports: [number, number],
  ) {}

  static async start(): Promise<KilledInstallation> {
    const folder = await mkdtemp(join(tmpdir(), 'navigator-audit-kills-'));
    const postgres = await PostgresServer.start(join(folder, 'postgres'), () => undefined);
    const installation = new KilledInstallation(folder, postgres, [await freePort(), await freePort()]);
    try {
      for (const victim of VICTIMS) if (victim !== 'postgres') await installation.begin(victim);
    } catch (error) {
      await installation.stop();
      throw error;
    }
    return installation;
  }

  get urls(): string[] {
    return this.ports.map((port) => `http://127.0.0.1:${port}`);
  }

  /** Of every process. */
  get environment(): Record<string, string> {
    return {
      DATABASE_URL: this.postgres.url,
      DATA_DIR: join(this.folder, 'data'),
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      // Nothing is embedded here, and the own model takes seconds to load.
      EMBEDDER_PROVIDER: 'openai',
      EMBEDDER_MODEL: 'none',
      EMBEDDER_DIMENSIONS: '64',
      OPENAI_API_KEY: 'none',
      AUDIT_CHECKPOINT_MS: '500',
      LOG_LEVEL: 'fatal',
      ...Object.fromEntries(RATES.map((name) => [`RATE_${name}_PER_MINUTE`, '1000000'])),
    };
  }

  /** By SIGKILL. Resolves when it is gone; PostgreSQL also when it is back. */
  async kill(victim: Victim): Promise<void> {
    if (victim === 'postgres') {
      await this.postgres.kill();
      await this.postgres.startAgain();
      return;
    }
    const { child, exit } = this.programs.get(victim)!;
    child.kill('SIGKILL');
    await exit;
  }

  /** Until it takes requests, or would. */
  async untilReady(victim: Victim): Promise<void> {
    if (victim === 'postgres') return;
    for (;;) {
      const isReady = await this.programs.get(victim)!.url.then(
        () => true,
        () => false,
      );
      if (isReady) return;
      await delay(RESTART_MS);
    }
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    for (const { child, exit } of this.programs.values()) {
      child.kill('SIGTERM');
      await exit;
    }
    await Promise.all(this.keptAlive);
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One after the other: the first one migrates. */
  private async begin(victim: Victim): Promise<void> {
    this.spawn(victim);
    await this.programs.get(victim)!.url;
    this.keptAlive.push(this.keepAlive(victim));
  }

  private spawn(victim: Victim): void {
    const isSealer = victim === 'sealer';
    this.programs.set(
      victim,
      spawnProgram({
        ...this.environment,
        ROLE: isSealer ? 'worker' : 'api',
        AUDIT_SEALER: isSealer ? 'on' : 'off',
        ...(isSealer ? {} : { PORT: String(this.ports[victim === 'api' ? 0 : 1]) }),
      }),
    );
  }

  private async keepAlive(victim: Victim): Promise<void> {
    while (!this.isStopping) {
      const { child, exit } = this.programs.get(victim)!;
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await exit;
      if (this.isStopping) return;
      await delay(RESTART_MS);
      this.spawn(victim);
    }
  }
}
