import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type LastStatement, meaningOf, TenantDb, uuidv7 } from '#libs/database';
import { DependencyUnavailable, DomainError } from '#libs/errors';
import { counter } from '#libs/observability';
import { AuditUnavailable } from './audit.errors.js';
import { type AuditOutcome, type AuditRecord, INSTALLATION } from './audit-record.js';
import { AuditSpool, type SpooledEvent } from './audit-spool.js';
import { auditBody, auditMoment } from './event/audit-body.js';
import { auditInsertion, type NewEvent } from './event/event-insertion.js';
import { GroupCommit } from './event/group-commit.js';
import type { AuditedAct } from './audited.decorator.js';
import { type CommittedValues, PersonalData } from './keeping/index.js';
import { openAudit, pendingAudit, type PendingAudit } from './pending-audit.js';
import { PerMinute } from './per-minute.js';

const events = counter({
  name: 'navigator_audit_events_total',
  help: 'Events written to the audit log by outcome',
  labelNames: ['outcome'],
});
const spooled = counter({
  name: 'navigator_audit_spooled_total',
  help: 'Events that were kept on the disk because the database could not take them',
});
const lost = counter({
  name: 'navigator_audit_lost_total',
  help: 'Events that could not be written (error) or were left out in a flood of anonymous failures (flood)',
  labelNames: ['cause'],
});

/** The name of its policy. */
const DATABASE = 'postgres';
const DRAIN_EVERY_MS = 1_000;
/** Anonymous failures a minute that are written, so that nobody fills the disk by guessing. */
const ANONYMOUS_PER_MINUTE = 120;

/**
 * Writes the record of a request: with its change, in the same transaction; without one, in a transaction of its
 * own that the answer waits for. What cannot be recorded does not happen. Where nothing was changed, the record may wait
 * on this machine's disk for the database.
 */
@Injectable()
export class AuditLog implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditLog.name);
  private readonly anonymous = new PerMinute(ANONYMOUS_PER_MINUTE);
  private readonly group = new GroupCommit<NewEvent>(
    (written) => this.insert(written),
    (error) => error instanceof AuditUnavailable,
  );
  private timer?: NodeJS.Timeout;
  private draining = Promise.resolve();

  constructor(
    private readonly db: TenantDb,
    private readonly spool: AuditSpool,
    @Inject(PersonalData) private readonly personal: Pick<PersonalData, 'commit'>,
  ) {
    db.onBeforeCommit((tenantId) => this.recordOfChange(tenantId));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.draining = this.drain()), DRAIN_EVERY_MS).unref();
  }

  /** The last chance before the pool closes; what stays is taken by the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.draining;
    await this.drain();
  }

  /** Starts the record of this request. */
  open(act: AuditedAct): PendingAudit {
    return openAudit(act);
  }

  /**
   * The request succeeded. Writes what its changes have not written already.
   *
   * @throws AuditUnavailable
   */
  async complete(record: PendingAudit): Promise<void> {
    if (!record.recorded) await this.write(record, { mayWait: record.category === 'data.read' });
  }

  /**
   * Writes the open record of this request now, before a change that is not in the database: an order to this process
   * alone. The disk will do while the database is away, because nothing but this process forgets such a change.
   *
   * @returns whether the record waits on the disk
   * @throws AuditUnavailable
   */
  async recordFirst(): Promise<{ spooled: boolean }> {
    const record = pendingAudit();
    return { spooled: record !== undefined && (await this.write(record, { mayWait: true })) };
  }

  /**
   * The request failed, or was refused. Its own error is more useful to the caller than ours, so a record that
   * cannot be written is counted and logged, not thrown: nothing was changed that would lack one.
   */
  async fail(record: PendingAudit, error: unknown): Promise<void> {
    if (error instanceof AuditUnavailable) return this.countLost(error.cause);
    const { outcome, reason } = outcomeOf(error);
    // The refusal was itself a change, and its record went with it.
    if (record.recorded && record.reason === reason) return;
    Object.assign(record, { outcome, reason, recorded: false });
    try {
      // Who was just told that the database takes nothing is not let wait for it once more.
      if (!isOfDatabase(error)) await this.write(record, { mayWait: true });
      else if (this.mayBeWritten(record)) await this.keepForLater(record);
    } catch (writeError) {
      this.countLost(writeError);
    }
  }

  /** An act of the program itself, in the transaction of that act. */
  async append(tx: EntityManager, record: AuditRecord, id = uuidv7()): Promise<void> {
    const { sql, parameters } = auditInsertion([this.eventOf(record.actor.tenantId, id, record)]);
    try {
      await tx.query(sql, parameters);
    } catch (error) {
      throw whyRefused(error);
    }
    events.inc({ outcome: record.outcome });
  }

  /** The same where there is no transaction; the disk will do. What not even that can take is counted as lost. */
  async note(record: AuditRecord): Promise<void> {
    try {
      await this.write({ ...record, recorded: false }, { mayWait: true });
    } catch (error) {
      this.countLost(error);
    }
  }

  private recordOfChange(tenantId: string): EventStatement | undefined {
    const record = pendingAudit();
    if (!record) return undefined;
    const eventId = uuidv7();
    record.eventId = eventId;
    const event = this.eventOf(tenantId, eventId, record);
    return {
      event,
      ...auditInsertion([event]),
      refused: whyRefused,
      together: inOneStatement,
      committed() {
        event.written();
        events.inc({ outcome: record.outcome });
        // What was added since then is not in it.
        if (record.eventId === eventId) record.recorded = true;
      },
    };
  }

  /**
   * `mayWait`: nothing was changed in the database, so that the disk of this machine will do until it is back.
   *
   * @returns whether the record waits there
   */
  private async write(record: PendingAudit, { mayWait }: { mayWait: boolean }): Promise<boolean> {
    const { tenantId } = record.actor;
    if (!this.mayBeWritten(record)) return false;
    let spooled = false;
    try {
      const event = this.eventOf(tenantId, record.eventId ?? uuidv7(), record);
      await this.group.add(event);
      event.written();
      events.inc({ outcome: record.outcome });
    } catch (error) {
      if (!mayWait) throw error instanceof DomainError ? error : new AuditUnavailable(error);
      await this.keepForLater(record);
      spooled = true;
    }
    record.recorded = true;
    return spooled;
  }

  /** The disk is given what the database would be: personal data sealed. */
  private async keepForLater({
    recorded: _,
    eventId: id = uuidv7(),
    personal,
    ...record
  }: PendingAudit): Promise<void> {
    const { refs, rows } = this.committed(record.actor.tenantId, { ...record, personal }) ?? {};
    try {
      const occurredAt = auditMoment();
      await this.spool.append({ id, occurredAt, record, personal: refs && rows && { refs, rows } });
    } catch (error) {
      throw new AuditUnavailable(error);
    }
    spooled.inc();
    events.inc({ outcome: record.outcome });
  }

  private async drain(): Promise<void> {
    try {
      const count = await this.spool.drain((batch) => this.writeSpooled(batch));
      if (count > 0) this.logger.log({ events: count }, 'spooled audit events were written');
    } catch (error) {
      this.logger.debug({ reason: (error as Error).name }, 'the audit spool cannot be written yet');
    }
  }

  private async writeSpooled(batch: SpooledEvent[]): Promise<void> {
    const written = batch.map(({ id, occurredAt, record, personal }) => ({
      body: auditBody({ tenantId: record.actor.tenantId, id, occurredAt }, record, personal?.refs),
      rows: personal?.rows ?? [],
    }));
    await this.db.runStatementsAsAuditor([auditInsertion(written)]);
  }

  private eventOf(tenantId: string, id: string, record: AuditRecord): NewEvent & { written(): void } {
    const committed = this.committed(tenantId, record);
    const body = auditBody({ tenantId, id, occurredAt: auditMoment() }, record, committed?.refs);
    return { body, rows: committed?.rows ?? [], written: () => committed?.written() };
  }

  /** What an anonymous attempt says of a person is of the one whose account was tried, if there is one. */
  private committed(
    tenantId: string,
    { actor, targets, personal }: AuditRecord,
  ): CommittedValues | undefined {
    const tried = actor.type === 'anonymous' ? targets.find(({ type }) => type === 'user') : undefined;
    return this.personal.commit(tenantId, actor.id ?? tried?.id, personal);
  }

  /** Of several tenants, each of whom waits for an answer. */
  private async insert(written: readonly NewEvent[]): Promise<void> {
    const statement = { ...auditInsertion(written), refused: whyRefused };
    await this.db.runStatementsAsAuditor([statement], { priority: 'critical' });
  }

  /** Not what would be one too many of unknown callers; the next event after a flood tells how many were left out. */
  private mayBeWritten(record: PendingAudit): boolean {
    if (record.actor.tenantId !== INSTALLATION) return true;
    if (!this.anonymous.admit()) {
      lost.inc({ cause: 'flood' });
      return false;
    }
    const left_out = this.anonymous.takeRefused();
    if (left_out > 0) record.detail = { ...record.detail, left_out };
    return true;
  }

  private countLost(cause: unknown): void {
    lost.inc({ cause: 'error' });
    this.logger.error(
      { reason: (cause as Error)?.name },
      'an audit record of a failed request could not be written',
    );
  }
}

interface EventStatement extends LastStatement {
  event: NewEvent;
}

const inOneStatement = (all: readonly LastStatement[]) => ({
  ...auditInsertion((all as readonly EventStatement[]).map(({ event }) => event)),
  refused: whyRefused,
});

const isOfDatabase = (error: unknown) =>
  error instanceof DependencyUnavailable && error.dependency === DATABASE;

/** What the server's state is, the caller is told by the transaction; this is for a log that refuses an event. */
function whyRefused(error: unknown): unknown {
  return meaningOf(error) === error ? new AuditUnavailable(error) : error;
}

/** `forbidden` and `unauthenticated` mean that we refused; anything else, that it did not work. */
export function outcomeOf(error: unknown): { outcome: AuditOutcome; reason: string } {
  if (!(error instanceof DomainError)) return { outcome: 'failure', reason: reasonOf(error) };
  const refused = error.kind === 'forbidden' || error.kind === 'unauthenticated';
  return { outcome: refused ? 'denied' : 'failure', reason: error.code };
}

function reasonOf(error: unknown): string {
  const status = (error as { getStatus?: () => number })?.getStatus?.();
  return status ? `http-${status}` : 'internal-error';
}
