import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { Loops } from '#libs/loops';
import { PersonErasure } from './erasure/person-erasure.js';
import { StepRunner } from './erasure/step-runner.js';
import { type PrivacyConfig, privacySection } from './privacy.config.js';
import { RetentionSweep } from './retention/retention-sweep.js';
import { TenantErasure } from './tenants/tenant-erasure.js';

/** Erasures and deletions that are due, and documents that are too old. Several workers share them; one that dies leaves nothing half done. */
@Injectable()
export class PrivacyWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loops = new Loops(new Logger(PrivacyWorker.name));
  private readonly runner: StepRunner;

  constructor(
    db: TenantDb,
    private readonly people: PersonErasure,
    private readonly tenants: TenantErasure,
    private readonly retention: RetentionSweep,
    @Inject(privacySection.token) private readonly config: PrivacyConfig,
  ) {
    this.runner = new StepRunner(db);
  }

  onApplicationBootstrap(): void {
    const { pollMs, retentionEveryMinutes } = this.config;
    const { signal } = this.loops;
    this.loops.repeat(pollMs, () => this.runner.runNext(this.people, signal), 'erasures failed');
    this.loops.repeat(pollMs, () => this.runner.runNext(this.tenants, signal), 'deletions of tenants failed');
    const sweep = () => this.retention.sweep(signal).then(() => undefined);
    this.loops.repeat(retentionEveryMinutes * 60_000, sweep, 'the sweep of old documents failed');
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }
}
