import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { DeadlineExceeded } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { type CallOptions, type Policy, type Priority, remainingMs } from '#libs/resilience';
import { isConflict, meaningOf, StorageFull, StorageReadOnly } from './database-errors.js';
import { runTransaction, type Work } from './transaction.js';

export interface TransactionOptions {
  /** Its abortion cancels the statement that runs; its deadline is also the statements'. */
  signal?: AbortSignal;
  /** For each statement; that of requests or jobs unless given. */
  timeoutMs?: number;
  /** Unless given, that of the request under way. */
  priority?: Priority;
}

/** Runs inside the transaction of a change, last; when it throws, the change is rolled back. */
export type BeforeCommit = (tx: EntityManager, tenantId: string) => Promise<void>;

interface Kind {
  operation: 'read' | 'write';
  tenantId?: string;
}

/** A job has nobody waiting for it; these keep it from being stuck. */
const JOB_LIMITS = { statementMs: 30_000, lockMs: 10_000, waitMs: 5_000 };
/** Somebody waits for a request: a lock or a connection that is not free soon is reported instead. */
const REQUEST_WAIT_MS = 250;
/** PostgreSQL looks for deadlocks after a second, and must come first: a deadlock is resolved, a lock only reported. */
const REQUEST_LOCK_MS = 1_200;
/** What only reads waits for changes of a table's shape alone, and is not to keep connections from others meanwhile. */
const READ_LOCK_MS = 250;
/** The answer needs some of the time that is left. */
const RETURN_MS = 20;
/** A transaction that was in another one's way is run again, after a random part of 25, 50 and 100 ms. */
const RERUNS = 3;
const RERUN_BASE_MS = 25;

/**
 * The only way to a query. Each call is one transaction in which row-level security sees just what the call
 * names: one tenant, one credential, or the job queue. Outside of it the application role sees no row at all.
 *
 * Every call throws what its work throws, `StorageReadOnly`, `StorageFull`, `DatabaseBusy`, and what its policy throws.
 */
export class TenantDb {
  private readonly beforeCommit: BeforeCommit[] = [];
  private readonly refusedWrite: ((refusal: StorageFull | StorageReadOnly) => void)[] = [];

  /** @param statementTimeoutMs for the statements of requests */
  constructor(
    private readonly source: DataSource,
    private readonly statementTimeoutMs: number,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {}

  /** What changes nothing, neither here nor elsewhere: it may be begun again when the connection was lost. */
  read<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ operation: 'read', tenantId }, { 'app.tenant': tenantId }, work, options);
  }

  /** Changes that need no audit record because no person asked for them. Its work may run more than once. */
  run<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ operation: 'write', tenantId }, { 'app.tenant': tenantId }, work, options);
  }

  /** A change that somebody asked for: what was registered with `onBeforeCommit` is part of its transaction. */
  change<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.run(tenantId, this.withHooks(tenantId, work), options);
  }

  /** What belongs to the whole installation: orders to its policies, alerts. It shows no tenant's rows. */
  runAsOperator<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ operation: 'write' }, { 'app.scope': 'operator' }, work, options);
  }

  /** A change to it that somebody of this tenant asked for: like `change`, with the record in that tenant's log. */
  changeAsOperator<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    const settings = { 'app.scope': 'operator', 'app.tenant': tenantId };
    return this.transaction({ operation: 'write' }, settings, this.withHooks(tenantId, work), options);
  }

  /** Claiming jobs of all tenants. Nothing but the job queue lets this through. */
  runAsWorker<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ operation: 'write' }, { 'app.scope': 'worker' }, work, options);
  }

  /**
   * Before the tenant is known: shows exactly the rows that carry this identifier (an e-mail address, a token's
   * hash, a key's public id), whatever their tenant.
   */
  findByCredential<T>(identifier: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ operation: 'read' }, { 'app.credential': identifier }, work, options);
  }

  /** Is told of every write that the server refused because it is full or takes none. */
  onRefusedWrite(listener: (refusal: StorageFull | StorageReadOnly) => void): void {
    this.refusedWrite.push(listener);
  }

  onBeforeCommit(hook: BeforeCommit): void {
    this.beforeCommit.push(hook);
  }

  private withHooks<T>(tenantId: string, work: Work<T>): Work<T> {
    return async (tx) => {
      const result = await work(tx);
      for (const hook of this.beforeCommit) await hook(tx, tenantId);
      return result;
    };
  }

  private async transaction<T>(
    { operation, tenantId }: Kind,
    settings: Record<string, string>,
    work: Work<T>,
    { signal, timeoutMs, priority }: TransactionOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const readOnly = operation === 'read';
    const call: CallOptions = { operation, idempotent: readOnly, signal, tenantId, priority };
    return this.policy.execute(async (attemptSignal) => {
      const left = remainingMs(signal) - RETURN_MS;
      if (left < 1) throw new DeadlineExceeded();
      const limits = this.limits(priority, timeoutMs);
      const lockMs = readOnly ? Math.min(limits.lockMs, READ_LOCK_MS) : limits.lockMs;
      const plan = { ...limits, lockMs, statementMs: Math.floor(Math.min(limits.statementMs, left)) };
      return this.attempt(work, { ...plan, settings, readOnly, signal: attemptSignal });
    }, call);
  }

  private async attempt<T>(work: Work<T>, plan: Parameters<typeof runTransaction>[2]): Promise<T> {
    for (let rerun = 0; ; rerun++)
      try {
        return await runTransaction(this.source, work, plan);
      } catch (error) {
        if (plan.signal.aborted) throw plan.signal.reason;
        // In a transaction of ours that only reads, a write is a mistake in the code and no state of the server.
        if (plan.readOnly && isRefusedWrite(error)) throw error;
        if (!isConflict(error) || rerun === RERUNS) throw this.told(meaningOf(error));
        await delay(Math.random() * RERUN_BASE_MS * 2 ** rerun, undefined, { signal: plan.signal });
      }
  }

  private told(error: unknown): unknown {
    if (error instanceof StorageFull || error instanceof StorageReadOnly)
      for (const listener of this.refusedWrite) listener(error);
    return error;
  }

  /** As in the policies: what has no priority of its own and belongs to no request is a job. */
  private limits(priority = currentContext()?.priority, timeoutMs?: number) {
    if (priority === undefined) return { ...JOB_LIMITS, statementMs: timeoutMs ?? JOB_LIMITS.statementMs };
    const statementMs = timeoutMs ?? this.statementTimeoutMs;
    return { statementMs, lockMs: REQUEST_LOCK_MS, waitMs: REQUEST_WAIT_MS };
  }
}

const READ_ONLY_TRANSACTION = '25006';

function isRefusedWrite(error: unknown): boolean {
  return (error as { driverError?: { code?: unknown } }).driverError?.code === READ_ONLY_TRANSACTION;
}
