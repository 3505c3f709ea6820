import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { DeadlineExceeded } from '#libs/errors';
import { currentContext } from '#libs/observability';
import { type CallOptions, type Policy, type Priority, remainingMs } from '#libs/resilience';
import { type Patience, patienceOf } from './patience.js';
import { isConflict, meaningOf, StorageFull, StorageReadOnly } from './database-errors.js';
import {
  runStatements,
  runTransaction,
  type Statement,
  type TransactionPlan,
  type Work,
} from './transaction.js';

export interface TransactionOptions {
  /** Its abortion cancels the statement that runs; its deadline is also the statements'. */
  signal?: AbortSignal;
  /** For each statement; that of requests or jobs unless given. */
  timeoutMs?: number;
  /** Unless given, that of the request under way. */
  priority?: Priority;
  /** For statements that are best done in the same way whatever their parameters: the server plans them once. */
  keepsPlans?: boolean;
}

/** What is written last in the transaction of a change; when it is refused, the change is rolled back. */
export interface LastStatement extends Statement {
  /** The change is committed, and this with it. */
  committed?(): void;
  /** Writes what all of these would write that have this same function, for one tenant. */
  together?(this: void, all: readonly LastStatement[]): Statement;
}
/** Gives what is to be sent together with the commit of a change. When it throws, the change is rolled back. */
export type BeforeCommit = (tenantId: string) => LastStatement | undefined;

interface Kind {
  operation: 'read' | 'write';
  settings: Record<string, string>;
  /** Whose turn it is when many wait for a connection. */
  tenantId?: string;
  /** In whose log the change is recorded. */
  recordedFor?: string;
}

type Attempt<T> = (plan: TransactionPlan) => Promise<T>;

/** A job has nobody waiting for it; these keep it from being stuck. */
const JOB_LIMITS = { statementMs: 30_000, lock: { ms: 10_000 }, waitMs: 5_000 };
/**
 * Somebody waits for a request, and others for its connection: a lock that is not free soon is reported instead. But
 * PostgreSQL must look for deadlocks first, because a deadlock is resolved and a lock only reported.
 */
const REQUEST_LOCK = { ms: 300, afterDeadlockCheck: true };
/** What only reads waits for changes of a table's shape alone. */
const READ_LOCK = { ms: 250 };
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
  private readonly patience: Patience;
  private readonly refusedWrite: ((refusal: StorageFull | StorageReadOnly) => void)[] = [];

  /** @param statementTimeoutMs for the statements of requests */
  constructor(
    private readonly source: DataSource,
    private readonly statementTimeoutMs: number,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {
    this.patience = patienceOf(source);
  }

  /** What changes nothing, neither here nor elsewhere: it may be begun again when the connection was lost. */
  read<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'read', tenantId, settings: ofTenant(tenantId) }, work, options);
  }

  /** Changes that need no audit record because no person asked for them. Its work may run more than once. */
  run<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'write', tenantId, settings: ofTenant(tenantId) }, work, options);
  }

  /** A change that somebody asked for: what was registered with `onBeforeCommit` is part of its transaction. */
  change<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    const settings = ofTenant(tenantId);
    return this.work({ operation: 'write', tenantId, settings, recordedFor: tenantId }, work, options);
  }

  /** What a change of this tenant would be recorded with now, by the request under way: for `changeTogether`. */
  recordsOf(tenantId: string): LastStatement[] {
    return this.beforeCommit.flatMap((hook) => hook(tenantId) ?? []);
  }

  /** A change that several requests asked for. Its work gives the records of those that it was made for. */
  changeTogether(
    tenantId: string,
    work: Work<readonly LastStatement[]>,
    options?: TransactionOptions,
  ): Promise<void> {
    const attempt: Attempt<void> = async (plan) => {
      let records: readonly LastStatement[] = [];
      const last = () => joined(records);
      await runTransaction(this.source, async (tx) => (records = await work(tx)), { ...plan, last });
      for (const record of records) record.committed?.();
    };
    return this.transaction({ operation: 'write', tenantId, settings: ofTenant(tenantId) }, attempt, options);
  }

  /** Like `run`, in one round trip: statements of which none needs what another answers. Gives the rows of each. */
  runStatements<Rows extends unknown[][]>(
    tenantId: string,
    statements: Statement[],
    options?: TransactionOptions,
  ): Promise<Rows> {
    return this.statements(
      { operation: 'write', tenantId, settings: ofTenant(tenantId) },
      statements,
      options,
    );
  }

  /** Like `change`, in one round trip. */
  changeStatements<Rows extends unknown[][]>(
    tenantId: string,
    statements: Statement[],
    options?: TransactionOptions,
  ): Promise<Rows> {
    const settings = ofTenant(tenantId);
    return this.statements(
      { operation: 'write', tenantId, settings, recordedFor: tenantId },
      statements,
      options,
    );
  }

  /** What belongs to the whole installation: orders to its policies, alerts. It shows no tenant's rows. */
  runAsOperator<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'write', settings: { 'app.scope': 'operator' } }, work, options);
  }

  /** A change to it that somebody of this tenant asked for: like `change`, with the record in that tenant's log. */
  changeAsOperator<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    const settings = { 'app.scope': 'operator', ...ofTenant(tenantId) };
    return this.work({ operation: 'write', settings, recordedFor: tenantId }, work, options);
  }

  /** Claiming jobs of all tenants. Nothing but the job queue lets this through. */
  runAsWorker<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'write', settings: { 'app.scope': 'worker' } }, work, options);
  }

  /** Sealing and proving the audit log of all tenants: reads it, and appends to it and to its trees. Nothing else. */
  runAsAuditor<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'write', settings: AUDITOR }, work, options);
  }

  /** The same in one round trip. */
  runStatementsAsAuditor<Rows extends unknown[][]>(
    statements: Statement[],
    options?: TransactionOptions,
  ): Promise<Rows> {
    return this.statements({ operation: 'write', settings: AUDITOR }, statements, options);
  }

  /**
   * Before the tenant is known: shows exactly the rows that carry this identifier (an e-mail address, a token's
   * hash, a key's public id), whatever their tenant.
   */
  findByCredential<T>(identifier: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.work({ operation: 'read', settings: { 'app.credential': identifier } }, work, options);
  }

  /** Is told of every write that the server refused because it is full or takes none. */
  onRefusedWrite(listener: (refusal: StorageFull | StorageReadOnly) => void): void {
    this.refusedWrite.push(listener);
  }

  onBeforeCommit(hook: BeforeCommit): void {
    this.beforeCommit.push(hook);
  }

  private work<T>(kind: Kind, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction(kind, (plan) => runTransaction(this.source, work, plan), options);
  }

  private statements<Rows extends unknown[][]>(
    kind: Kind,
    statements: readonly Statement[],
    options?: TransactionOptions,
  ): Promise<Rows> {
    return this.transaction(
      kind,
      (plan) => runStatements(this.source, statements, plan) as Promise<Rows>,
      options,
    );
  }

  private async transaction<T>(
    { operation, tenantId, settings, recordedFor }: Kind,
    attempt: Attempt<T>,
    { signal, timeoutMs, priority, keepsPlans }: TransactionOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const readOnly = operation === 'read';
    const isRequest = priorityOf(priority) !== undefined;
    const call: CallOptions = {
      operation,
      idempotent: readOnly,
      signal,
      tenantId,
      priority,
      maxWaitMs: isRequest ? this.patience.waitMs : undefined,
    };
    return this.policy.execute(async (attemptSignal) => {
      const left = remainingMs(signal) - RETURN_MS;
      if (left < 1) throw new DeadlineExceeded();
      const limits = this.limits(isRequest, timeoutMs);
      const lock = readOnly ? READ_LOCK : limits.lock;
      const statementMs = Math.floor(Math.min(limits.statementMs, left));
      const held = isRequest ? (ms: number) => this.patience.held(ms) : undefined;
      const kind = { settings, readOnly, keepsPlans };
      const plan = { ...limits, ...kind, lock, statementMs, signal: attemptSignal, held };
      return this.rerun(recordedFor === undefined ? attempt : this.recorded(recordedFor, attempt), plan);
    }, call);
  }

  /** Each attempt has records of its own. */
  private recorded<T>(tenantId: string, attempt: Attempt<T>): Attempt<T> {
    return async (plan) => {
      let records: LastStatement[] = [];
      const last = () => (records = this.recordsOf(tenantId));
      const result = await attempt({ ...plan, last });
      for (const record of records) record.committed?.();
      return result;
    };
  }

  private async rerun<T>(attempt: Attempt<T>, plan: TransactionPlan): Promise<T> {
    for (let rerun = 0; ; rerun++)
      try {
        return await attempt(plan);
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

  private limits(isRequest: boolean, timeoutMs?: number) {
    if (!isRequest) return { ...JOB_LIMITS, statementMs: timeoutMs ?? JOB_LIMITS.statementMs };
    const statementMs = timeoutMs ?? this.statementTimeoutMs;
    return { statementMs, lock: REQUEST_LOCK, waitMs: this.patience.waitMs };
  }
}

function joined(statements: readonly LastStatement[]): Statement[] {
  const kinds = Map.groupBy(statements, ({ together }) => together);
  return [...kinds].flatMap(([together, all]) => together?.(all) ?? all);
}

/** As in the policies: what has no priority of its own and belongs to no request is a job. */
const priorityOf = (priority?: Priority) => priority ?? currentContext()?.priority;
const AUDITOR = { 'app.scope': 'auditor' };
const ofTenant = (tenantId: string) => ({ 'app.tenant': tenantId });

const READ_ONLY_TRANSACTION = '25006';

function isRefusedWrite(error: unknown): boolean {
  return (error as { driverError?: { code?: unknown } }).driverError?.code === READ_ONLY_TRANSACTION;
}
