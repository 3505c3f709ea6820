import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb, uuidv7 } from '#libs/database';
import { Loops } from '#libs/loops';
import { counter } from '#libs/observability';
import type { AuditLog } from '../audit-log.js';
import { systemActor } from '../audit-record.js';
import { LegalHolds } from '../keeping/index.js';
import type { AuditKeys, NoteSigner } from '../notes/index.js';
import {
  addRetirement,
  entriesBetween,
  findRetirable,
  frontierAt,
  isSigned,
  listRetaining,
  listRetirements,
  lockForRetirement,
  retire,
  type Retirement,
} from './retention.store.js';
import { digestOfRetired, writeRetired } from './retired-file.js';
import { openTombstone, RETENTION, signTombstone } from './tombstone.js';

const retired = counter({
  name: 'navigator_audit_retired_total',
  help: 'Audit events that left the log because their tenant keeps it for a time only',
});

const LOOK_EVERY_MS = 600_000;
/** Between two steps with the same tenants; a tombstone waits for its signature about as long as some of them. */
const PAUSE_MS = 2_000;
/** Of one tombstone: a transaction deletes as many. */
const MOST_RETIRED = 20_000;
const RESTRICT_VIOLATION = '23001';

/**
 * Lets old events leave the logs of tenants that keep them for a time only. First they are written to a signed file, and an
 * event that tells of it takes their place (`tell`); only when a signed checkpoint tells of that one, the server deletes them
 * (`retireTold`), and looks for legal holds itself. Killed at any moment, it goes on where it was.
 */
@Injectable()
export class AuditRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AuditRetention.name);
  private readonly loops = new Loops(this.logger);
  private readonly holds = new LegalHolds();

  /**
   * @param db as the role that may append tombstones and nothing else to the log, and let events leave it
   * @param options batch: events that leave at a time; pauseMs: between two steps while there is more to do
   */
  constructor(
    private readonly db: Pick<TenantDb, 'run' | 'runAsWorker'>,
    private readonly log: AuditLog,
    private readonly keys: AuditKeys,
    private readonly folder: string,
    private readonly options: { runs: boolean; batch?: number; pauseMs?: number },
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.runs && this.keys.signer)
      this.loops.repeat(LOOK_EVERY_MS, () => this.catchUp(), 'old audit events could not be retired');
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loops.stop();
  }

  /**
   * Takes tenants one step further.
   *
   * @param among all of them, unless it is said which
   * @returns those with which to go on soon, because events left the log or are waiting for the signature over a tombstone
   */
  async advance(among?: readonly string[]): Promise<string[]> {
    const tenants = await this.db.runAsWorker((tx) => listRetaining(tx, among));
    const behind: string[] = [];
    for (const { tenantId, days } of tenants) {
      if (this.loops.signal.aborted) return [];
      const hasMore = await this.advanceTenant(tenantId, days).catch((error: unknown) =>
        this.logger.warn({ tenantId, reason: (error as Error).name }, 'an audit log keeps what is old'),
      );
      if (hasMore) behind.push(tenantId);
    }
    return behind;
  }

  /**
   * Goes on with those that have more to do, until it is time to look at all of them anew.
   *
   * @returns whether some still have
   */
  private async catchUp(): Promise<boolean> {
    const { signal } = this.loops;
    const untilMs = performance.now() + LOOK_EVERY_MS;
    let behind = await this.advance();
    while (behind.length > 0 && !signal.aborted && performance.now() < untilMs) {
      await delay(this.options.pauseMs ?? PAUSE_MS, undefined, { signal }).catch(() => undefined);
      behind = await this.advance(behind);
    }
    return behind.length > 0;
  }

  /** @returns whether there may be more to do soon */
  private advanceTenant(tenantId: string, days: number): Promise<boolean> {
    return this.db.run(tenantId, async (tx) => {
      const { signer } = this.keys;
      if (!signer || !(await lockForRetirement(tx, tenantId))) return false;
      const [last] = await listRetirements(tx, tenantId, 1);
      if (!last || last.retiredAt) return this.tell(tx, tenantId, { from: last?.to ?? 0, days, signer });
      await this.retireTold(tx, tenantId, last);
      return true;
    });
  }

  /**
   * Nothing is locked but for the others who would do the same, until the tombstone is appended at the end.
   *
   * @returns whether there was something to tell of
   */
  private async tell(
    tx: EntityManager,
    tenantId: string,
    { from, days, signer }: { from: number; days: number; signer: NoteSigner },
  ): Promise<boolean> {
    const to = await findRetirable(tx, tenantId, { from, days, most: this.options.batch ?? MOST_RETIRED });
    if (to <= from) return false;
    const archive = `${from}-${to}.ndjson`;
    const tree = { tenantId, from, frontier: await frontierAt(tx, tenantId, from) };
    const written = await writeRetired(
      join(this.folder, tenantId, archive),
      tree,
      entriesBetween(tx, tenantId, from, to),
      ({ root, sha256, to }) => signTombstone({ tenantId, to, root, archive: sha256 }, signer),
    );
    if (written.to !== to) throw new Error('Events that were sealed are missing');
    const eventId = uuidv7();
    const root = written.root.toString('base64');
    await this.log.append(
      tx,
      {
        action: RETENTION,
        category: 'system',
        actor: systemActor(tenantId),
        targets: [{ type: 'audit-archive', id: archive }],
        outcome: 'success',
        context: {},
        detail: {
          from,
          to,
          count: to - from,
          days,
          root,
          archive_sha256: written.sha256,
          note: written.note,
        },
      },
      eventId,
    );
    await addRetirement(tx, tenantId, { eventId, to, archive });
    return true;
  }

  private async retireTold(
    tx: EntityManager,
    tenantId: string,
    { eventId, archive }: Retirement,
  ): Promise<void> {
    if (!(await isSigned(tx, eventId))) return;
    await this.assertArchived(tx, tenantId, { eventId, archive });
    // The server looks for holds before it deletes: none may come in between.
    await this.holds.keepOut(tx, tenantId);
    try {
      const gone = await retire(tx, eventId);
      retired.inc(gone);
      this.logger.log({ tenantId, events: gone }, 'old audit events left the log');
    } catch (error) {
      // A hold that was placed since then. It is tried again until the hold is released.
      if ((error as { driverError?: { code?: string } }).driverError?.code !== RESTRICT_VIOLATION)
        throw error;
      throw new Error('A legal hold is in force', { cause: error });
    }
  }

  /** What was copied must still be there before the original goes. */
  private async assertArchived(
    tx: EntityManager,
    tenantId: string,
    { eventId, archive }: Pick<Retirement, 'eventId' | 'archive'>,
  ): Promise<void> {
    const [event] = (await tx.query(
      `select detail->>'note' as note from audit_event where tenant_id = $1 and id = $2`,
      [tenantId, eventId],
    )) as { note: string }[];
    const told = openTombstone(event?.note, this.keys.verifiers);
    if (!told || told.archive !== (await digestOfRetired(join(this.folder, tenantId, archive))))
      throw new Error('The archive of old audit events is not what their tombstone tells of');
  }
}
