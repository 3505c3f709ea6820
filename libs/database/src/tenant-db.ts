import type { DataSource, EntityManager } from 'typeorm';
import { TransientFailure } from '#libs/errors';
import type { Policy } from '#libs/resilience';

export interface TransactionOptions {
  signal?: AbortSignal;
  /** For each statement; the configured limit unless given. */
  timeoutMs?: number;
}

type Work<T> = (tx: EntityManager) => Promise<T>;
/** Runs inside the transaction of a change, last; when it throws, the change is rolled back. */
export type BeforeCommit = (tx: EntityManager, tenantId: string) => Promise<void>;

/**
 * The only way to a query. Each call is one transaction in which row-level security sees just what the call
 * names: one tenant, one credential, or the job queue. Outside of it the application role sees no row at all.
 */
export class TenantDb {
  private readonly beforeCommit: BeforeCommit[] = [];

  constructor(
    private readonly source: DataSource,
    private readonly statementTimeoutMs: number,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {}

  /** Reads, and changes that need no audit record because no person asked for them. */
  run<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ 'app.tenant': tenantId }, work, options);
  }

  /** A change that somebody asked for: what was registered with `onBeforeCommit` is part of its transaction. */
  change<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.run(tenantId, this.withHooks(tenantId, work), options);
  }

  /** What belongs to the whole installation: orders to its policies, alerts. It shows no tenant's rows. */
  runAsOperator<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ 'app.scope': 'operator' }, work, options);
  }

  /** A change to it that somebody of this tenant asked for: like `change`, with the record in that tenant's log. */
  changeAsOperator<T>(tenantId: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    const settings = { 'app.scope': 'operator', 'app.tenant': tenantId };
    return this.transaction(settings, this.withHooks(tenantId, work), options);
  }

  /** Claiming jobs of all tenants. Nothing but the job queue lets this through. */
  runAsWorker<T>(work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ 'app.scope': 'worker' }, work, options);
  }

  /**
   * Before the tenant is known: shows exactly the rows that carry this identifier (an e-mail address, a token's
   * hash, a key's public id), whatever their tenant.
   */
  findByCredential<T>(identifier: string, work: Work<T>, options?: TransactionOptions): Promise<T> {
    return this.transaction({ 'app.credential': identifier }, work, options);
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
    settings: Record<string, string>,
    work: Work<T>,
    { signal, timeoutMs = this.statementTimeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    // The policy does not get the signal: it would give the place in its bulkhead free while the statement still
    // holds its connection.
    return this.policy.execute(async () => {
      try {
        return await this.source.transaction(async (tx) => {
          await applySettings(tx, { ...settings, statement_timeout: String(timeoutMs) });
          const result = await work(tx);
          signal?.throwIfAborted();
          return result;
        });
      } catch (error) {
        throw isConnectionLoss(error)
          ? new TransientFailure('the connection was lost', { cause: error })
          : error;
      }
    });
  }
}

/** `set_config(…, true)` is `set local`: it ends with the transaction, so a pooled connection carries nothing over. */
async function applySettings(tx: EntityManager, settings: Record<string, string>): Promise<void> {
  const calls = Object.keys(settings).map((_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, true)`);
  await tx.query(`select ${calls.join(', ')}`, Object.entries(settings).flat());
}

/** Node's socket errors, PostgreSQL's connection exceptions (class 08), shutdown (57P) and exhaustion (53300). */
const LOST_CONNECTION =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|08\w{3}|57P0[1-3]|53300)$/;

export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return LOST_CONNECTION.test(code);
  return (
    typeof message === 'string' &&
    /Connection terminated|timeout exceeded when trying to connect|client was closed|not queryable/i.test(
      message,
    )
  );
}
