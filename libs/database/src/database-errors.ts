import {
  DependencyTimeout,
  DependencyUnavailable,
  FatalFailure,
  Overloaded,
  TransientFailure,
} from '#libs/errors';
import type { Outcome } from '#libs/resilience';

const NAME = 'postgres';

/** The server answers and takes no writes: a standby, or an operator's order. What only reads goes on. */
export class StorageReadOnly extends DependencyUnavailable {
  override readonly code = 'storage-read-only';
  constructor(cause: unknown) {
    super(NAME, { cause });
  }
}

/** The server has no room for what was to be written. What only reads goes on. */
export class StorageFull extends DependencyUnavailable {
  override readonly code = 'storage-full';
  constructor(cause: unknown) {
    super(NAME, { cause });
  }
}

/** Somebody else held what was needed for longer than one waits, or was in the way again and again. */
export class DatabaseBusy extends DependencyUnavailable {
  override readonly code = 'database-busy';
  constructor(cause: unknown) {
    super(NAME, { cause, reason: 'overloaded', retryAfterMs: 1_000 });
  }
}

/** Two transactions were in each other's way and the server broke this one off: it may be run again from its start. */
const CONFLICT = /^(40001|40P01)$/;

/** What an error of the server or of its connection means, in order. Everything else is a bug. */
const TABLE: [codes: RegExp, meaning: (cause: unknown) => Error][] = [
  [/^25006$/, (cause) => new StorageReadOnly(cause)],
  [/^(53100|ENOSPC)$/, (cause) => new StorageFull(cause)],
  [/^55P03$/, (cause) => new DatabaseBusy(cause)],
  [CONFLICT, (cause) => new DatabaseBusy(cause)],
  // Of a statement that we did not cancel ourselves: its time was up.
  [/^57014$/, (cause) => new DependencyTimeout(NAME, { cause })],
  [/^53[2-4]00$/, (cause) => new Overloaded('the server has no resources left', { cause })],
  // Nobody is there, or it does not know us: asking again at once would change nothing.
  [/^(ECONNREFUSED|28\w{3}|3D000|57P04)$/, (cause) => new FatalFailure('no connection is made', { cause })],
  // Node's socket errors, connection exceptions, shutdown and start, an idle transaction ended, the server's disk.
  [
    /^(ECONN\w+|EPIPE|ETIMEDOUT|E(HOST|NET)UNREACH|ENOTFOUND|EAI_AGAIN|08\w{3}|57P\d\d|25P03|58\w{3})$/,
    (cause) => new TransientFailure('the connection was lost', { cause }),
  ],
];

/** pg gives these no code. */
const LOST =
  /Connection terminated|connection timeout|timeout expired|timeout exceeded when trying to connect|Query read timeout|not queryable/i;

/** What an error means to callers and to the policy; errors that do not come from the database stay as they are. */
export function meaningOf(error: unknown): unknown {
  if (error instanceof DependencyUnavailable || error instanceof TransientFailure) return error;
  const cause = driverErrorOf(error);
  const { code, message } = propertiesOf(cause);
  if (typeof code === 'string') return TABLE.find(([codes]) => codes.test(code))?.[1](cause) ?? error;
  const isLost = typeof message === 'string' && LOST.test(message);
  return isLost ? new TransientFailure('the connection was lost', { cause }) : error;
}

/** Also when somebody between here and the statement has wrapped the error in one of his own. */
export function isConflict(error: unknown): boolean {
  for (let cause = error; cause; cause = propertiesOf(cause).cause) {
    const { code } = propertiesOf(driverErrorOf(cause));
    if (typeof code === 'string' && CONFLICT.test(code)) return true;
  }
  return false;
}

/** For the policy: silence counts as a failure, although its caller is told of a timeout. */
export function databaseOutcome(error: unknown): Outcome | undefined {
  return error instanceof DependencyTimeout ? 'failure' : undefined;
}

/** Nobody can say what the database holds: it is not there, or says nothing. Refusals of a busy one are not this. */
export function isDatabaseUnreachable(error: unknown): boolean {
  if (error instanceof DependencyTimeout) return error.dependency === NAME;
  if (!(error instanceof DependencyUnavailable) || error.dependency !== NAME) return false;
  return error.code === 'dependency-unavailable' && UNREACHABLE.has(error.reason);
}

const UNREACHABLE = new Set(['failed', 'circuit-open', 'isolated']);

/** TypeORM wraps what the driver throws together with the statement and its values, which belong in no log. */
function driverErrorOf(error: unknown): unknown {
  return propertiesOf(error).driverError ?? error;
}

function propertiesOf(error: unknown): Record<'code' | 'message' | 'cause' | 'driverError', unknown> {
  return Object(error) as ReturnType<typeof propertiesOf>;
}
