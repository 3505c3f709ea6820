import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AuditKeys } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { Loops, type WorkSource } from '#libs/loops';
import { counter, histogram } from '#libs/observability';
import { ExportKinds } from './export.js';
import { type Draft, ExportFiles } from './export-files.js';
import { manifestOf } from './export-manifest.js';
import {
  claimExport,
  type ClaimedExport,
  failExport,
  finishExport,
  holdExport,
  listKept,
  MAX_ATTEMPTS,
  putBackExport,
  settleOverdue,
} from './export.store.js';
import { type ExportConfig, exportSection } from './exports.config.js';
import { ExportLost } from './exports.errors.js';

const outcomes = counter({
  name: 'navigator_exports_total',
  help: 'Exports that a worker has ended, by kind and outcome (ready, failed, put-back, lost)',
  labelNames: ['kind', 'outcome'],
});
const rowsWritten = counter({
  name: 'navigator_export_rows_total',
  help: 'Rows of exports that are ready, by kind',
  labelNames: ['kind'],
});
const durations = histogram({
  name: 'navigator_export_seconds',
  help: 'From when a worker took up an export until its file was ready',
  labelNames: ['kind'],
});

/** Also how old the progress is that somebody who waits is shown. */
const LONGEST_HEARTBEAT_MS = 1_000;
const SWEEP_EVERY_MS = 60_000;
const RETRY_MS = 5_000;
const HOUR_MS = 3_600_000;

/**
 * Writes exports. An export changes hands by its claim: a file takes its place in the transaction that makes the export
 * ready, which holds the row only as long as the claim is still ours.
 */
@Injectable()
export class ExportRunner
  implements OnApplicationBootstrap, BeforeApplicationShutdown, WorkSource<ClaimedExport>
{
  private readonly logger = new Logger(ExportRunner.name);
  private readonly loops = new Loops(this.logger);

  constructor(
    private readonly db: TenantDb,
    private readonly kinds: ExportKinds,
    private readonly files: ExportFiles,
    private readonly keys: AuditKeys,
    @Inject(exportSection.token) private readonly config: ExportConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.loops.take(this);
    this.loops.repeat(SWEEP_EVERY_MS, () => this.sweep(), 'the sweep of exports failed');
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /** Without the private key no manifest can be signed: then another process has to write them. */
  hasRoom(running: number): boolean {
    return this.keys.signer !== undefined && running < this.config.concurrency;
  }

  claim(): Promise<ClaimedExport | undefined> {
    return this.db.runAsWorker((tx) => claimExport(tx, this.kinds.names, this.config.leaseMs));
  }

  async queued(signal: AbortSignal): Promise<void> {
    await delay(this.config.pollMs, undefined, { signal }).catch(() => undefined);
  }

  async work(job: ClaimedExport): Promise<void> {
    const { kind, id } = job;
    const outcome = await this.attempt(job).catch((error: unknown) => this.giveUp(job, error));
    outcomes.inc({ kind, outcome });
    this.logger.log({ export_id: id, kind, outcome, attempts: job.attempts }, 'an export has ended');
  }

  /** Ends what is overdue, and removes files that belong to no export. Returns how many files. */
  async sweep(): Promise<number> {
    await this.db.runAsWorker((tx) => settleOverdue(tx));
    let removed = 0;
    for await (const { tenantId, files } of this.files.list()) {
      const ids = [...new Set(files.map(({ id }) => id))].filter((id) => UUID.test(id));
      const kept = await this.db.runAsWorker((tx) => listKept(tx, tenantId, ids));
      const names = new Set(kept.flatMap(({ id, claimId }) => [id, `${id} ${claimId ?? ''}`]));
      for (const { name, id, claimId } of files)
        if (!names.has(claimId === undefined ? id : `${id} ${claimId}`)) {
          await this.files.removeFile(tenantId, name);
          removed += 1;
        }
    }
    return removed;
  }

  private async attempt(job: ClaimedExport): Promise<'ready'> {
    const since = performance.now();
    const draft = await this.files.draft(job, this.config.maxBytes);
    const lost = new AbortController();
    const ended = new AbortController();
    const heartbeat = this.keepAlive(job, draft, lost, ended.signal);
    try {
      const signal = AbortSignal.any([lost.signal, this.loops.signal]);
      const { rows } = await this.kinds.get(job.kind).write(job, draft, signal);
      const file = await draft.finish();
      signal.throwIfAborted();
      await this.publish(job, draft, { rows, ...file });
      rowsWritten.inc({ kind: job.kind }, rows);
      durations.observe({ kind: job.kind }, (performance.now() - since) / 1_000);
      return 'ready';
    } finally {
      ended.abort();
      await heartbeat;
      await draft.discard();
    }
  }

  private async publish(
    job: ClaimedExport,
    draft: Draft,
    file: { rows: number; bytes: number; sha256: string },
  ): Promise<void> {
    const finishedAt = new Date();
    const expiresAt = new Date(finishedAt.getTime() + this.config.keepHours * HOUR_MS);
    const manifest = manifestOf(job, { ...file, finishedAt }, this.keys.signer!);
    await this.db.run(job.tenantId, async (tx) => {
      if (!(await holdExport(tx, job, file.rows, this.config.leaseMs))) throw new ExportLost();
      await draft.keep();
      await finishExport(tx, job, { ...file, manifest, finishedAt, expiresAt });
    });
  }

  /** Renews the lease until the work has ended, and aborts it when the claim is no longer ours. */
  private async keepAlive(
    job: ClaimedExport,
    draft: Draft,
    lost: AbortController,
    ended: AbortSignal,
  ): Promise<void> {
    const pauseMs = Math.min(LONGEST_HEARTBEAT_MS, this.config.leaseMs / 3);
    for (;;) {
      await delay(pauseMs, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      const isOurs = await this.db
        .run(job.tenantId, (tx) => holdExport(tx, job, draft.rows, this.config.leaseMs))
        .catch(() => true); // While the database is away nobody else can take it; the claim is checked in the end.
      if (!isOurs) lost.abort(new ExportLost());
    }
  }

  private async giveUp(job: ClaimedExport, error: unknown): Promise<'failed' | 'put-back' | 'lost'> {
    if (error instanceof ExportLost) return 'lost';
    const isStopping = this.loops.signal.aborted;
    const isFinal = !isStopping && (isRefusal(error) || job.attempts >= MAX_ATTEMPTS);
    const reason = error instanceof DomainError ? error.code : 'export-failed';
    this.logger.warn({ export_id: job.id, kind: job.kind, error: (error as Error).name }, 'an export failed');
    try {
      await this.db.run(job.tenantId, (tx) =>
        isFinal
          ? failExport(tx, job, reason)
          : putBackExport(tx, job, { delayMs: isStopping ? 0 : RETRY_MS, isAttempt: !isStopping }),
      );
    } catch {
      // Its lease runs out, and another worker takes it up.
    }
    return isFinal ? 'failed' : 'put-back';
  }
}

/** What would be refused again: too large, not there, forbidden. What is unavailable may be there later. */
function isRefusal(error: unknown): boolean {
  return error instanceof DomainError && error.kind !== 'unavailable' && error.kind !== 'timeout';
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
