/** An error as it may stand in a log line. */
export interface DescribedError {
  type: string;
  /** Left out where it may quote what a person wrote. */
  message?: string;
  code?: string;
  /** Of a database error. */
  table?: string;
  constraint?: string;
  stack?: string;
  cause?: DescribedError;
}

const LONGEST_CHAIN = 4;

/**
 * What helps to find the cause of an error and nothing that it carries along. A database error's message, detail and
 * parameters hold the values of the statement, and a parser's message holds what it could not parse; of these only the
 * kind, the code and the frames are told.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, table, constraint, driverError } = error as ErrorOfDatabase;
  const quotes = driverError !== undefined || 'severity' in error || error instanceof SyntaxError;
  return {
    type: error.name,
    ...(quotes ? {} : { message: error.message }),
    ...optional({ code: code ?? driverError?.code }),
    ...optional({ table: table ?? driverError?.table, constraint: constraint ?? driverError?.constraint }),
    stack: framesOf(error),
    ...(error.cause !== undefined && depth < LONGEST_CHAIN
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}

interface ErrorOfDatabase extends Error {
  code?: unknown;
  table?: unknown;
  constraint?: unknown;
  driverError?: { code?: unknown; table?: unknown; constraint?: unknown };
}

/** The first line of a stack repeats the message. */
function framesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}

function optional(members: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
