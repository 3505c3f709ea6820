import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { TransientFailure } from '#libs/errors';
import { giveBack, lease, type Lease, type PooledClient } from './pool/index.js';

export type Work<T> = (tx: EntityManager) => Promise<T>;

export interface Statement {
  sql: string;
  parameters?: unknown[];
  /** What is thrown when the server refuses this statement, instead of the server's own error. */
  refused?(error: unknown): unknown;
}

export interface TransactionPlan {
  /** Custom settings that hold for this transaction, such as `app.tenant`. */
  settings: Record<string, string>;
  readOnly: boolean;
  /** The server keeps one plan for each of its statements. Unless given, it may for those that write. */
  keepsPlans?: boolean;
  /** Of each statement. */
  statementMs: number;
  /** Of waiting for a lock: at all, or after the server has looked whether it is a deadlock (`deadlock_timeout`). */
  lock: { ms: number; afterDeadlockCheck?: boolean };
  /** Of waiting for a connection while all are in use. */
  waitMs: number;
  /** Its abortion cancels the statement that runs. */
  signal: AbortSignal;
  /** What is sent together with the commit of a write; asked for when its work is done. */
  last?: () => readonly Statement[];
  /** Is told for how many milliseconds the connection was held by a transaction that succeeded. */
  held?(ms: number): void;
}

/** pg's words for a query that had its time. */
const NO_ANSWER = 'Query read timeout';
/** How long a server that should have ended a statement may keep silent. */
const SILENCE_MS = 1_000;
/** A caller who is to be gone 200 ms after his deadline waits no longer for the connection to be clean. */
const CLEAN_UP_MS = 150;

/**
 * One transaction on a connection of the pool. The connection goes back clean, or not at all.
 *
 * @throws what the work or the database throws, untranslated, and the signal's reason
 */
export function runTransaction<T>(source: DataSource, work: Work<T>, plan: TransactionPlan): Promise<T> {
  return onConnection(source, plan, ({ client, runner }) =>
    plan.readOnly ? read(client, runner, work, plan) : write(client, runner, work, plan),
  );
}

/**
 * Statements of which none needs what another one answers, as one transaction in one round trip.
 *
 * @returns the rows of each
 * @throws what the database throws, untranslated, and the signal's reason
 */
export function runStatements(
  source: DataSource,
  statements: readonly Statement[],
  plan: TransactionPlan,
): Promise<unknown[][]> {
  return onConnection(source, plan, async ({ client }) => {
    const all = [...statements, ...(plan.last?.() ?? [])];
    const rows = await sendToTheEnd(client, client.query(beginning(client, plan)), all);
    return rows.slice(0, statements.length);
  });
}

async function onConnection<T>(
  source: DataSource,
  plan: TransactionPlan,
  transaction: (lease: Lease) => Promise<T>,
): Promise<T> {
  plan.signal.throwIfAborted();
  const { runner, client } = await lease(source, plan);
  const since = performance.now();
  client.answerWithinMs = plan.statementMs + SILENCE_MS;
  client.keepsPlans = plan.keepsPlans ?? !plan.readOnly;
  const interruption = new Interruption(client, plan.signal);
  let failure: Error | undefined;
  try {
    const result = await Promise.race([transaction({ runner, client }), interruption.overdue]);
    plan.held?.(performance.now() - since);
    return result;
  } catch (error) {
    if ((error as Error).message === NO_ANSWER) client.fellSilent(since);
    failure = await giveUp({ runner, client }, interruption);
    throw plan.signal.aborted ? plan.signal.reason : lostMeanwhile(runner, error);
  } finally {
    interruption.end();
    await giveBack(runner, failure);
  }
}

/** Begins and works in one round trip: what is only read may be thrown away when it turns out not to have begun. */
async function read<T>(
  client: PooledClient,
  runner: QueryRunner,
  work: Work<T>,
  plan: TransactionPlan,
): Promise<T> {
  const begun = client.query(beginning(client, plan));
  begun.catch(() => undefined);
  try {
    const result = await work(transactionOf(runner));
    await begun;
    // Nobody waits for its end: the next transaction on this connection is sent after it, and answered after it.
    client.query('COMMIT').catch(() => undefined);
    return result;
  } catch (error) {
    await begun; // Why it did not begin says more than what followed from that.
    throw error;
  }
}

/**
 * Its begin and its first statement share a round trip, as its last statements and its commit do. Had it not begun, the
 * first statement would see no row and write none, because row-level security knows no tenant outside of a transaction;
 * but no answer reaches the work before it is known that it had.
 */
async function write<T>(
  client: PooledClient,
  runner: QueryRunner,
  work: Work<T>,
  plan: TransactionPlan,
): Promise<T> {
  const begun = client.query(beginning(client, plan));
  begun.catch(() => undefined);
  holdAnswers(runner, begun);
  const result = await work(transactionOf(runner));
  await begun;
  plan.signal.throwIfAborted();
  await sendToTheEnd(client, begun, plan.last?.() ?? []);
  return result;
}

function holdAnswers(runner: QueryRunner, begun: Promise<unknown>): void {
  const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
  const held = async (...args: unknown[]) => {
    try {
      return await query(...args);
    } finally {
      await begun; // Why it did not begin says more than what followed from that.
    }
  };
  Object.assign(runner, { query: held });
}

/** All at once: when one of them fails, PostgreSQL makes a rollback of the commit. */
async function sendToTheEnd(
  client: PooledClient,
  begun: Promise<unknown>,
  statements: readonly Statement[],
): Promise<unknown[][]> {
  const sent = statements.map(({ sql, parameters, refused = (error) => error }) =>
    client.query<object>(sql, parameters).catch((error: unknown) => {
      throw refused(error);
    }),
  );
  const ended = client.query('COMMIT');
  // The first failure is the cause of the others.
  const outcomes = await Promise.allSettled([begun, ...sent, ended]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  // PostgreSQL rolls back, without an error, when a statement had failed and the work went on all the same.
  if ((await ended).command !== 'COMMIT')
    throw new Error('The work hid the failure of one of its statements');
  return (await Promise.all(sent)).map(({ rows }) => rows);
}

/** `set_config(…, true)` is `set local`: it ends with the transaction, so a pooled connection carries nothing over. */
function beginning(
  client: PooledClient,
  { settings, readOnly, keepsPlans, statementMs, lock }: TransactionPlan,
): string {
  const lockMs = lock.afterDeadlockCheck ? `(${DEADLOCK_CHECK_MS} + ${lock.ms})::text` : `'${lock.ms}'`;
  // Else the server plans a statement five times on each connection before it keeps a plan.
  const plans = keepsPlans && { plan_cache_mode: 'force_generic_plan' };
  const calls = Object.entries({ statement_timeout: String(statementMs), ...plans, ...settings }).map(
    ([name, value]) => `set_config(${client.escapeLiteral(name)}, ${client.escapeLiteral(value)}, true)`,
  );
  calls.push(`set_config('lock_timeout', ${lockMs}, true)`);
  return `begin ${readOnly ? 'read only' : ''}; select ${calls.join(', ')}`;
}

/** Ours is set by `ensureAppRole` where it may be; elsewhere it is a second. */
const DEADLOCK_CHECK_MS = `(1000 * extract(epoch from current_setting('deadlock_timeout')::interval))::int`;

function transactionOf(runner: QueryRunner): EntityManager {
  // So that TypeORM begins none of its own.
  (runner as { isTransactionActive: boolean }).isTransactionActive = true;
  return runner.manager;
}

/** Ends a transaction that failed. Returns why its connection cannot be used again, if so. */
async function giveUp({ runner, client }: Lease, interruption: Interruption): Promise<Error | undefined> {
  // TypeORM gives a connection back by itself when it is lost.
  if (runner.isReleased || interruption.isOverdue) return new Error('the connection was lost');
  try {
    await Promise.race([interruption.settled, interruption.overdue]);
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function lostMeanwhile(runner: QueryRunner, error: unknown): unknown {
  return runner.isReleased ? new TransientFailure('the connection was lost', { cause: error }) : error;
}

/** Cancels what runs on a connection when the signal aborts, and cuts the connection when that does not help at once. */
class Interruption {
  /** Rejects when nothing came of the cancellation in time. */
  readonly overdue: Promise<never>;
  isOverdue = false;
  /** Of the request to cancel. The connection must not be used before: the cancellation could hit its next statement. */
  settled: Promise<void> = Promise.resolve();
  private timer?: NodeJS.Timeout;
  private readonly interrupt = () => this.begin();
  private readonly reject: (reason: unknown) => void;

  constructor(
    private readonly client: PooledClient,
    private readonly signal: AbortSignal,
  ) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.overdue = promise;
    this.reject = reject;
    if (signal.aborted) this.begin();
    else signal.addEventListener('abort', this.interrupt, { once: true });
  }

  end(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.interrupt);
  }

  private begin(): void {
    this.settled = this.client.requestCancel();
    this.timer = setTimeout(() => {
      this.isOverdue = true;
      this.client.destroy();
      this.reject(this.signal.reason);
    }, CLEAN_UP_MS);
  }
}
